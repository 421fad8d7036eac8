//! What a handler can ask for in its signature: facts about the request, checked once.

pub mod accept;
pub mod account_form;
pub mod authenticated;
pub mod continue_to;
pub mod dpop;
pub mod fetch_loop;
pub mod form;
mod frame;
pub mod host;
pub mod presented_token;
pub mod request_id;
pub mod same_origin;
pub mod signed_in;
pub mod visitor;
