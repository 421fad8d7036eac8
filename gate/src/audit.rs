//! One record for each call that the guard has admitted: who called what, and how it ended.

mod file;
mod read;
mod record;
mod writer;

use std::{future::Future, sync::Arc, time::Instant};

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::Request,
    http::{Method, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use guard::Caller;
use net::clock::Clock;
use rmcp::{ErrorData, model::ErrorCode};
use serde_json::{Value, json};

use self::{
    file::AuditFile,
    record::{Record, hash},
    writer::{Place, Writer},
};
pub(crate) use self::{
    read::{AuditError, Query, query, verify},
    record::Outcome,
};
use crate::{
    config::audit::{ArgumentsForm, AuditOptions},
    rules::{Asked, Refused, watch_messages},
};

/// Seconds after which a call may be repeated that could not be written down.
const RETRY: i64 = 5;

/// Writes calls down, if there is a file for it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Audit(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    writer: Writer,
    arguments: ArgumentsForm,
    clock: Clock,
}

/// A call in progress. Dropping it writes its record.
struct Call {
    record: Record,
    began: Instant,
    place: Option<Place>,
}

impl Audit {
    pub(crate) fn new(options: &AuditOptions, clock: Clock) -> Result<Self, AuditError> {
        let Some(path) = &options.audit_file else {
            return Ok(Self(None));
        };
        let opened = AuditFile::open(path).and_then(|file| {
            tracing::info!(head = file.head(), "the audit begins");
            Writer::start(file, options.audit_on_failure)
        });
        let writer = opened.map_err(|cause| AuditError::File { path: path.clone(), cause })?;
        Ok(Self(Some(Arc::new(Inner { writer, arguments: options.audit_arguments, clock }))))
    }

    /// Passes a request to the server behind `ask`, and writes down how it ended if it was a call.
    pub(crate) async fn pass<F, A>(&self, request: Request, ask: F) -> Response
    where
        F: FnOnce(Request) -> A,
        A: Future<Output = Response>,
    {
        let Some(inner) = self.0.as_ref().filter(|_| *request.method() == Method::POST) else {
            return ask(request).await;
        };
        let caller = request.extensions().get::<Caller>().cloned();
        let (parts, body) = request.into_parts();
        // The guard has read the body, within its limit.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let asked = Asked::read(&body).filter(Asked::is_call);
        let request = Request::from_parts(parts, Body::from(body));
        let (Some(asked), Some(caller)) = (asked, caller) else {
            return ask(request).await;
        };
        let Some(place) = inner.writer.begin() else {
            return unavailable(asked.id());
        };
        let record = inner.record(&asked, &caller);
        let mut call = Call { record, began: Instant::now(), place: Some(place) };
        let response = ask(request).await;
        call.record.status = Some(response.status().as_u16());
        if let Some(Refused(reason)) = response.extensions().get() {
            call.record.outcome = Some(Outcome::Refused);
            call.record.reason = Some((*reason).into());
            return response;
        }
        watch_messages(response, move |message| call.read(message))
    }
}

impl Inner {
    fn record(&self, asked: &Asked, caller: &Caller) -> Record {
        let names: Vec<&str> = asked.subjects().map(|(_, name)| name).collect();
        let arguments = asked.message.pointer("/params/arguments");
        let arguments = match (self.arguments, arguments) {
            (ArgumentsForm::Off, _) | (_, None) => Value::Null,
            (ArgumentsForm::Hash, Some(arguments)) => {
                format!("sha256:{}", hash(arguments.to_string().as_bytes())).into()
            }
            (ArgumentsForm::Full, Some(arguments)) => arguments.clone(),
        };
        Record {
            time: self.clock.now(),
            user: caller.subject.clone(),
            issuer: caller.issuer.clone(),
            client: caller.client_id.clone(),
            actor: caller.actor.clone(),
            method: asked.method.clone(),
            name: names.join(" "),
            outcome: Some(Outcome::Unanswered),
            request: asked.id().clone(),
            arguments,
            ..Record::default()
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.writer.flush();
    }
}

impl Call {
    /// Reads a message of the answer.
    fn read(&mut self, message: &Value) {
        if message.get("id") != Some(&self.record.request) {
            return;
        }
        if let Some(result) = message.get("result") {
            let is_error = result.get("isError") == Some(&Value::Bool(true));
            let outcome = if is_error { Outcome::ToolError } else { Outcome::Ok };
            self.record.outcome = Some(outcome);
        } else if let Some(error) = message.get("error") {
            self.record.outcome = Some(Outcome::Error);
            self.record.reason = error.get("code").map(Value::to_string);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut record = std::mem::take(&mut self.record);
        record.milliseconds = u64::try_from(self.began.elapsed().as_millis()).ok();
        if let Some(place) = self.place.take() {
            place.write(record);
        }
    }
}

/// Refuses a call that could not be written down.
fn unavailable(id: &Value) -> Response {
    let reason = "audit_unavailable";
    tracing::warn!(reason, "refused");
    let text =
        "calls cannot be written down at the moment, so this server takes none; try again later";
    let error = ErrorData::new(ErrorCode(-32_000), text, Some(json!({"reason": reason})));
    let message = json!({"jsonrpc": "2.0", "id": id, "error": error});
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY.to_string())], Json(message))
        .into_response()
}

#[cfg(test)]
mod tests;
