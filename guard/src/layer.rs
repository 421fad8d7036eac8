//! `Guard::layer`: protects any HTTP service, not only an MCP server.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::OriginalUri,
    http::{Request, request::Parts},
    response::{IntoResponse, Response},
};
use tower::{Layer, Service};

use crate::{
    Guard,
    admission::hand_over,
    bearer::refuse_repeated,
    refusal::Refusal,
    requirement,
    stream::{Purpose, Stopping, Watched},
};

/// Protects HTTP services of your own with the same tokens as the MCP server. Made by
/// [`Guard::layer`].
///
/// A request needs a valid token with the basic scopes, must be meant for this host, and may come
/// only from pages of allowed origins. The service finds the [`Caller`](crate::Caller) among the
/// extensions of the request, and the token is gone. In axum handlers, `Caller` is an extractor.
#[derive(Clone, Debug)]
pub struct GuardLayer {
    guard: Guard,
    scopes: Vec<String>,
}

impl GuardLayer {
    pub(crate) fn new(guard: Guard, scopes: Vec<String>) -> Self {
        Self { guard, scopes }
    }

    /// Demands these scopes, or groups as in [`needs`](crate::needs), instead of the basic scopes.
    #[must_use]
    pub fn with_scopes(self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { scopes: scopes.into_iter().map(Into::into).collect(), ..self }
    }

    /// Every check of a request whose body is the service's own affair.
    async fn check(&self, parts: &mut Parts) -> Result<Watched, Refusal> {
        let inner = &self.guard.0;
        refuse_repeated(&parts.headers)?;
        let caller = self.guard.authenticate(parts, self.called_url(parts)).await?;
        inner.site.check(&parts.headers, &parts.uri)?;
        let held = Arc::new(inner.in_progress.begin(&caller)?);
        requirement::check(&self.scopes, &caller)?;
        hand_over(&caller, &held, parts);
        let stopping = parts.extensions.get::<Stopping>().cloned();
        Ok(Watched { caller, purpose: Purpose::Answering(None), stopping, held })
    }

    /// The URL that a proof of possession must name. A router may have taken a prefix off the path.
    fn called_url<'a>(&'a self, parts: &'a Parts) -> [&'a str; 2] {
        let original = parts.extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri);
        let path = original.unwrap_or(&parts.uri).path();
        [&self.guard.0.resource.as_called(&parts.headers).origin, path]
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, layer: self.clone() }
    }
}

/// A service behind a [`GuardLayer`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The instance that is ready serves this request; its clone has to become ready first.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let guard = &layer.guard;
            if let Some(refused) = guard.0.site.refuse_ambiguous(&parts) {
                return Ok(refused);
            }
            let challenge = guard.challenge(&parts.headers, false);
            match layer.check(&mut parts).await {
                Ok(watched) => {
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    let mut response = guard.watch(response.into_response(), watched);
                    challenge.add_nonce(response.headers_mut());
                    Ok(response)
                }
                Err(refusal) => Ok(challenge.refuse(&refusal)),
            }
        })
    }
}
