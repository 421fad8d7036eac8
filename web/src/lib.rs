//! The pages people see, rendered on the server by Leptos: values in, HTML out, no IO, no script.
//!
//! Each page is a plain struct with a `render` method that returns a whole document. Whoever serves
//! one sends [`CONTENT_SECURITY_POLICY`] with it and answers [`STYLE_PATH`] with [`STYLE`].

mod address;
mod display_name;
mod fact;
mod form;
mod icon;
mod layout;
mod person;
mod style;
mod text;

pub mod consent;
pub mod error;
pub mod home;
pub mod samples;
pub mod sign_in;
pub mod signed_out;

pub use display_name::display_name;
pub use layout::CONTENT_SECURITY_POLICY;
pub use style::{STYLE, STYLE_PATH};
