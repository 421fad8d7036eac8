//! Who waits for what of one child: requests and their callers, sessions and their listeners.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use serde_json::Value;

use super::{
    message::{Message, Raw, canonical},
    queue::{Event, Sender},
};

/// Names a party within its link.
pub(super) type PartyId = u64;

/// Bytes in messages that are kept for a party that does not listen yet.
const MAX_BACKLOG: usize = 256 << 10;
/// Requests of the child that wait for an answer.
const MAX_ASKED: usize = 64;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Call {
    /// Its id, as its caller knows it.
    pub(super) id: Raw,
    /// Its progress token, as its caller knows it.
    pub(super) token: Option<Value>,
    pub(super) party: Option<PartyId>,
    pub(super) to: Sender,
}

/// A session of a client.
#[derive(Debug, Default)]
struct Party {
    listener: Option<Sender>,
    /// What came while the party did not listen.
    backlog: VecDeque<Bytes>,
    subscribed: BTreeSet<String>,
}

impl Party {
    /// Keeps a message for later, and drops the oldest ones if there are too many.
    fn keep(&mut self, message: Bytes) {
        self.backlog.push_back(message);
        while self.backlog.iter().map(Bytes::len).sum::<usize>() > MAX_BACKLOG {
            self.backlog.pop_front();
        }
    }
}

/// Who waits for what.
#[derive(Debug)]
pub(super) struct Table {
    calls: BTreeMap<u64, Call>,
    parties: BTreeMap<PartyId, Party>,
    /// Requests of the child, and who was asked.
    asked: HashMap<String, PartyId>,
    numbers: u64,
    is_shared: bool,
    is_closed: bool,
}

impl Table {
    pub(super) fn new(is_shared: bool) -> Self {
        Self {
            calls: BTreeMap::new(),
            parties: BTreeMap::new(),
            asked: HashMap::new(),
            numbers: 0,
            is_shared,
            is_closed: false,
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether someone waits for an answer, or listens.
    pub(super) fn is_in_use(&self) -> bool {
        let listens = |party: &Party| party.listener.as_ref().is_some_and(|to| !to.is_closed());
        !self.calls.is_empty() || self.parties.values().any(listens)
    }

    /// Adds a request. Returns its number, unless the child has ended.
    pub(super) fn add(&mut self, call: Call) -> Option<u64> {
        if self.is_closed {
            return None;
        }
        let number = self.next_number();
        self.calls.insert(number, call);
        Some(number)
    }

    /// Takes in a session.
    pub(super) fn join(&mut self) -> PartyId {
        let party = self.next_number();
        self.parties.insert(party, Party::default());
        party
    }

    /// Lets a session go. Returns the URIs that have no other subscriber.
    pub(super) fn leave(&mut self, party: PartyId) -> Vec<String> {
        self.calls.retain(|_, call| call.party != Some(party));
        self.asked.retain(|_, asked| *asked != party);
        let left = self.parties.remove(&party).unwrap_or_default().subscribed;
        left.into_iter().filter(|uri| !self.has_subscriber(uri)).collect()
    }

    pub(super) fn subscribe(&mut self, party: PartyId, uri: &str) {
        if let Some(party) = self.parties.get_mut(&party) {
            party.subscribed.insert(uri.into());
        }
    }

    /// Returns whether the URI has no other subscriber.
    pub(super) fn unsubscribe(&mut self, party: PartyId, uri: &str) -> bool {
        if let Some(party) = self.parties.get_mut(&party) {
            party.subscribed.remove(uri);
        }
        !self.has_subscriber(uri)
    }

    /// Sends what belongs to no request to this listener from now on, instead of an earlier one.
    pub(super) fn listen(&mut self, party: PartyId, to: Sender) {
        if let Some(party) = self.parties.get_mut(&party) {
            for message in party.backlog.drain(..) {
                to.send(Event::More(message));
            }
            party.listener = Some(to);
        }
    }

    /// Hands a response of the child to its caller.
    pub(super) fn answer(&mut self, mut message: Message) {
        let number = message.id.as_ref().and_then(|id| canonical(id).as_u64());
        let Some(call) = number.and_then(|number| self.calls.remove(&number)) else {
            tracing::debug!("drops a response that no caller waits for");
            return;
        };
        message.id = Some(call.id);
        call.to.send(Event::Last(message.to_line()));
    }

    /// Hands a request of the child to its only party. Returns `false` if no client can answer it.
    pub(super) fn ask(&mut self, message: Message) -> bool {
        let party = self.parties.keys().next().copied();
        let (Some(party), false) = (party, self.is_shared || self.asked.len() >= MAX_ASKED) else {
            return false;
        };
        let id = message.id.as_ref().map(|id| canonical(id).to_string()).unwrap_or_default();
        self.asked.insert(id, party);
        self.tell(party, &message, true);
        true
    }

    /// Whether `party` was asked this request and has not answered yet.
    pub(super) fn take_asked(&mut self, party: PartyId, id: &Value) -> bool {
        let id = id.to_string();
        self.asked.get(&id) == Some(&party) && self.asked.remove(&id).is_some()
    }

    /// Tells whom the child has asked that it does not want to know any more.
    pub(super) fn withdraw(&mut self, id: Value, message: &Message) {
        if let Some(party) = self.asked.remove(&id.to_string()) {
            self.tell(party, message, true);
        }
    }

    /// The request that the child calls by this number.
    pub(super) fn call_with(&self, number: Option<&Value>) -> Option<(u64, &Call)> {
        let number = number?.as_u64()?;
        self.calls.get(&number).map(|call| (number, call))
    }

    /// Sends a message to the caller of a request.
    pub(super) fn deliver(&mut self, number: u64, message: &Message) {
        let taken =
            self.calls.get(&number).map(|call| call.to.send(Event::More(message.to_line())));
        if taken == Some(false) {
            tracing::info!(reason = "reader_too_slow", "ended a response");
            self.calls.remove(&number);
        }
    }

    /// Sends a notification that belongs to no request to those whom it concerns. Of a shared child
    /// these are changes of lists, and of resources for their subscribers.
    pub(super) fn announce(&mut self, uri: Option<&str>, message: &Message) {
        let method = message.method();
        let changes_list = method.ends_with("/list_changed");
        let updates = method == "notifications/resources/updated";
        let concerned = |party: &Party| {
            !self.is_shared
                || changes_list
                || updates && uri.is_some_and(|uri| party.subscribed.contains(uri))
        };
        let parties = self.parties.iter().filter(|(_, party)| concerned(party));
        let parties: Vec<PartyId> = parties.map(|(id, _)| *id).collect();
        for party in parties {
            self.tell(party, message, !changes_list && !updates);
        }
    }

    /// Cancels a request of `party`. Returns its number.
    pub(super) fn cancel(&mut self, party: PartyId, id: &Value) -> Option<u64> {
        let is_it = |call: &Call| call.party == Some(party) && canonical(&call.id) == *id;
        let number = self.calls.iter().find(|(_, call)| is_it(call)).map(|(number, _)| *number)?;
        self.calls.remove(&number)?.to.send(Event::Cancelled);
        Some(number)
    }

    /// Returns whether the request was still waiting.
    pub(super) fn forget(&mut self, number: u64) -> bool {
        self.calls.remove(&number).is_some()
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.calls.clear();
        self.parties.clear();
    }

    /// Tells a party something on the stream of its latest request or on the one on which it listens,
    /// whichever fits better, or keeps it until the party listens.
    fn tell(&mut self, party: PartyId, message: &Message, belongs_to_request: bool) {
        let Some(known) = self.parties.get_mut(&party) else {
            return;
        };
        let latest = self.calls.values().rev().find(|call| call.party == Some(party));
        let latest = latest.map(|call| &call.to);
        let listener = known.listener.as_ref();
        let places = if belongs_to_request { [latest, listener] } else { [listener, latest] };
        let line = message.to_line();
        let is_told = places.into_iter().flatten().any(|to| to.send(Event::More(line.clone())));
        if !is_told {
            known.keep(line);
        }
    }

    fn has_subscriber(&self, uri: &str) -> bool {
        self.parties.values().any(|party| party.subscribed.contains(uri))
    }

    fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}
