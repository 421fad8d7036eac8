//! Files that the program keeps, readable by their owner only.

pub(crate) mod file_lock;
pub(crate) mod history;
pub(crate) mod listing;
pub(crate) mod private_file;
pub(crate) mod received;
