//! Here so that Cargo counts the build dependencies; there is nothing to do.

fn main() {}
