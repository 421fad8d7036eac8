//! Pictures for the documentation: of pages, and of what a terminal shows.

pub mod gallery;
pub mod svg;
