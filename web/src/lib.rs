//! The pages people see, rendered on the server by Leptos: values in, HTML out, no IO, no script.
//!
//! Each page is a plain struct with a `render` method that takes a [`Frame`], which knows the
//! operator's [`Brand`] and the [`Language`], and returns a whole document. The server sends
//! [`CONTENT_SECURITY_POLICY`] with it and answers [`Brand::style_path`] with
//! [`Brand::stylesheet`].

mod address;
mod brand;
mod client_details;
mod color;
mod date;
mod display_name;
mod fact;
mod form;
mod icon;
mod language;
mod layout;
mod lookalike;
mod onward;
mod person;
mod place;
mod scope_list;
mod style;
mod text;

pub mod account;
pub mod consent;
pub mod device;
pub mod end_session;
pub mod error;
pub mod home;
pub mod preview;
pub mod samples;
pub mod sign_in;
pub mod signed_out;

pub use brand::Brand;
pub use client_details::{ClientDetails, OwnPages};
pub use color::Color;
pub use display_name::display_name;
pub use language::Language;
pub use layout::{CONTENT_SECURITY_POLICY, Frame};
pub use onward::Onward;
pub use person::Person;
pub use place::Place;
pub use scope_list::ScopeLine;
