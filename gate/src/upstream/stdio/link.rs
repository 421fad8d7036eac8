//! The conversation with one child, and which of its messages is for whom.
//!
//! Several callers may speak with one child, each of whom numbers its requests from one. So every
//! request gets a number of its own on the way to the child, as do its progress token and what else
//! repeats the number, and its caller's on the way back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rmcp::model::ErrorCode;
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    message::{Message, Params, SUBSCRIPTION, canonical, printable, raw},
    queue::{Event, Receiver, queue},
    table::{Call, PartyId, Table},
};

/// Messages on their way to the child. When there are so many, their senders wait.
const MAX_OUTGOING: usize = 32;

/// The conversation with one child.
#[derive(Debug)]
pub(super) struct Link {
    table: Mutex<Table>,
    outgoing: mpsc::Sender<Bytes>,
}

/// A request that the child has not answered yet. Dropping it cancels the request.
#[derive(Debug)]
pub(super) struct Pending {
    link: Arc<Link>,
    number: u64,
    events: Receiver,
    can_cancel: bool,
}

/// The child has ended.
#[derive(Debug)]
pub(super) struct Ended;

impl Link {
    /// A link, and what the child must be sent. A child that is not `shared` has one party, who gets
    /// all that belongs to no request.
    pub(super) fn new(shared: bool) -> (Arc<Self>, mpsc::Receiver<Bytes>) {
        let (outgoing, to_child) = mpsc::channel(MAX_OUTGOING);
        let table = Mutex::new(Table::new(shared));
        (Arc::new(Self { table, outgoing }), to_child)
    }

    /// Sends a request with these parameters.
    pub(super) async fn call(
        self: &Arc<Self>,
        party: Option<PartyId>,
        mut message: Message,
        mut params: Params,
    ) -> Result<Pending, Ended> {
        let (sender, events) = queue();
        let id = message.id.take().unwrap_or_default();
        let token = params.meta.get("progressToken").cloned();
        let call = Call { id, token: token.clone(), party, to: sender };
        let number = self.table().add(call).ok_or(Ended)?;
        let can_cancel = message.method() != "initialize";
        let pending = Pending { link: self.clone(), number, events, can_cancel };
        if token.is_some() {
            params.meta.insert("progressToken".into(), number.into());
        }
        message.id = Some(raw(&number));
        message.params = Some(params.into_raw());
        self.send(&message).await?;
        Ok(pending)
    }

    /// Passes a notification of a party, or its response to a request of the child.
    pub(super) async fn pass(&self, party: PartyId, mut message: Message) -> Result<(), Ended> {
        if let Some(id) = &message.id {
            if !self.table().take_asked(party, &canonical(id)) {
                tracing::debug!("drops a response that the child has not asked for");
                return Ok(());
            }
        } else if message.method() == "notifications/cancelled" {
            let params = Params::parse(message.params.as_deref());
            let cancelled = params.and_then(|mut params| {
                let number = self.table().cancel(party, &params.get("requestId")?)?;
                params.set("requestId", &number);
                Some(params.into_raw())
            });
            let Some(params) = cancelled else {
                return Ok(());
            };
            message.params = Some(params);
        } else if self.table().is_shared() {
            // One caller's state must not become that of the others.
            return Ok(());
        }
        self.send(&message).await
    }

    /// Tells the child something on behalf of the gate.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Ended> {
        self.outgoing.send(message.to_line()).await.map_err(|_| Ended)
    }

    /// Takes what the child said on one line.
    pub(super) fn take_line(&self, line: &[u8]) {
        let Some(message) = Message::parse(line) else {
            if !line.trim_ascii().is_empty() {
                let line = printable(line);
                tracing::warn!(line, "the child wrote something other than a message");
            }
            return;
        };
        if message.is_response() {
            self.table().answer(message);
        } else if message.is_request() {
            self.take_request(message);
        } else {
            self.take_notification(message);
        }
    }

    fn take_request(&self, message: Message) {
        let answer = if message.method() == "ping" {
            Message::result(message.id, &json!({}))
        } else {
            let id = message.id.clone();
            if self.table().ask(message) {
                return;
            }
            let why = "the gate cannot tell who should answer";
            Message::error(id, ErrorCode::METHOD_NOT_FOUND.0, why, None)
        };
        // If the child takes nothing now, it waits for this answer in vain, as it makes others wait.
        if self.outgoing.try_send(answer.to_line()).is_err() {
            tracing::warn!("the child does not read; an answer to it is lost");
        }
    }

    fn take_notification(&self, mut message: Message) {
        let Some(mut params) = Params::parse(message.params.as_deref()) else {
            return;
        };
        let mut table = self.table();
        let token = params.get("progressToken");
        if message.method() == "notifications/progress" {
            let Some((number, call)) = table.call_with(token.as_ref()) else {
                return;
            };
            params.set("progressToken", &call.token);
            message.params = Some(params.into_raw());
            table.deliver(number, &message);
        } else if let Some((number, call)) = table.call_with(params.meta.get(SUBSCRIPTION)) {
            params.meta.insert(SUBSCRIPTION.into(), canonical(&call.id));
            message.params = Some(params.into_raw());
            table.deliver(number, &message);
        } else if message.method() == "notifications/cancelled" {
            table.withdraw(params.get("requestId").unwrap_or_default(), &message);
        } else {
            table.announce(params.text("uri").as_deref(), &message);
        }
    }

    /// The child has ended: all that wait for it hear so.
    pub(super) fn close(&self) {
        self.table().close();
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// What comes next for this request. `None` if the child has ended or the reader was too slow.
    pub(super) async fn next(&mut self) -> Option<Event> {
        self.events.next().await
    }

    /// The result or error that answers the request, past all that comes before it.
    pub(super) async fn response(mut self) -> Option<Message> {
        loop {
            match self.next().await? {
                Event::More(_) => {}
                Event::Last(line) => return Message::parse(&line),
                Event::Cancelled => return None,
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.link.table().forget(self.number) || !self.can_cancel {
            return;
        }
        let params = json!({"requestId": self.number, "reason": "the caller has left"});
        let line = Message::notification("notifications/cancelled", params).to_line();
        let outgoing = self.link.outgoing.clone();
        // There is a task for each such request at most, and callers have only so many.
        if let Err(mpsc::error::TrySendError::Full(line)) = outgoing.try_send(line) {
            tokio::spawn(async move { outgoing.send(line).await });
        }
    }
}
