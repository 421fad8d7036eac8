//! Whole flows, from the first request to the last.

mod access_property;
mod back_channel_logout;
mod chromium;
mod command_line;
mod company;
mod device_login;
mod doctor;
mod explain;
mod guide;
mod hostile_server;
mod keyboard;
mod pages;
mod prompt;
mod registrations;
mod terminal;
mod torture;
mod without_browser;
mod zoo;
