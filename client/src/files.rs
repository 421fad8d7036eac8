//! Files that the program keeps, readable by their owner only.

pub mod file_lock;
pub mod history;
pub mod private_file;
pub mod received;
