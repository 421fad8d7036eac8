//! Whole flows, from the first request to the last.

mod chromium;
mod command_line;
mod doctor;
mod terminal;
