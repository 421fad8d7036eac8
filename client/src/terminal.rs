//! What the program prints, and how it makes text from servers safe to print.

pub mod explain;
pub mod output;
pub mod printable;
pub mod suggestion;
