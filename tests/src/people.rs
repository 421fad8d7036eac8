//! People: a browser without a screen, a real browser, and a desk with a terminal.

pub mod browser;
pub mod chromium;
pub mod desk;
pub mod screen;
pub mod terminal;
