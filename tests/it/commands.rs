//! Commands, run as processes of their own: one file for each.

mod access;
mod clients;
mod config;
mod explain;
mod keys;
mod portcullis;
mod serve;
