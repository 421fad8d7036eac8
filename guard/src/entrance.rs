//! The services that [`Guard::protect`] puts around an MCP server.
//!
//! They are written by hand, because each `middleware::from_fn` of axum clones the whole stack below
//! it and allocates three times for each request.

use std::{
    convert::Infallible,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use net::unread_body::track;
use tower::Service;

use crate::Guard;

type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Refuses what could be meant for two servers, and reads what is left of the body of each request.
#[derive(Clone, Debug)]
pub(crate) struct Entrance<S> {
    guard: Guard,
    inner: S,
}

/// Lets authenticated callers in, see [`Guard::admit`].
#[derive(Clone, Debug)]
pub(crate) struct Admission<S> {
    guard: Guard,
    inner: S,
}

impl<S> Entrance<S> {
    pub(crate) fn new(guard: Guard, inner: S) -> Self {
        Self { guard, inner }
    }
}

impl<S> Admission<S> {
    pub(crate) fn new(guard: Guard, inner: S) -> Self {
        Self { guard, inner }
    }
}

/// Takes the instance that is ready. Its clone has to become ready first.
fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    mem::replace(inner, clone)
}

impl<S> Service<Request> for Entrance<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Answer {
        let mut inner = take_ready(&mut self.inner);
        let guard = self.guard.clone();
        Box::pin(async move {
            let (request, rest) = track(request, || ());
            let (parts, body) = request.into_parts();
            let mut response = match guard.0.site.refuse_ambiguous(&parts) {
                Some(refused) => {
                    drop(body);
                    refused
                }
                None => inner.call(Request::from_parts(parts, body)).await?,
            };
            rest.drain(&mut response).await;
            Ok(response)
        })
    }
}

impl<S> Service<Request> for Admission<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Answer {
        let inner = take_ready(&mut self.inner);
        let guard = self.guard.clone();
        Box::pin(async move { Ok(guard.admit(request, inner).await) })
    }
}
