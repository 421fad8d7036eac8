//! Commands, run as processes of their own: one file for each of the operator's, one for the client's.

mod client;
mod clients;
mod explain;
mod keys;
mod odd_servers;
mod serve;
