//! What both servers do with connections, whatever route is asked for.

mod bodies;
mod hosts;
mod open_files;
