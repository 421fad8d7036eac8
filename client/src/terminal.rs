//! What the program prints, and how it makes text from servers safe to print.

pub(crate) mod explain;
pub(crate) mod output;
pub(crate) mod printable;
pub(crate) mod suggestion;
pub(crate) mod text;
