//! The tools of the demo server, one a file.

mod echo;
mod whoami;
