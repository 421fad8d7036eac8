//! The operator's commands, run as processes of their own: one file for each.

mod clients;
mod explain;
mod keys;
mod serve;
