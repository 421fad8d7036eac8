//! What a handler can ask for in its signature: facts about the request, checked once.

pub(crate) mod accept;
pub(crate) mod account_form;
pub(crate) mod authenticated;
pub(crate) mod bearer;
mod dpop;
pub(crate) mod form;
mod frame;
pub(crate) mod query;
pub(crate) mod signed_in;
pub(crate) mod visitor;

pub(crate) use self::{
    accept::Accept,
    account_form::AccountForm,
    authenticated::{AccessRequest, Authenticated, FromParameters, PresentedToken},
    bearer::Bearer,
    form::Form,
    query::Query,
    signed_in::SignedIn,
    visitor::Visitor,
};
