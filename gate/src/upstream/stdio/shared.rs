//! The child that callers share: started when it is needed, and again when it has ended.

use std::{sync::Arc, time::Duration};

use net::clock::Clock;
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::timeout};

use super::{
    link::Link,
    message::{Message, Params, canonical},
    process::{Running, Starter},
    wire::{LEGACY, META_CAPABILITIES, META_CLIENT, META_VERSION, MODERN},
};
use crate::failure::Failure;

/// How long a child may take to say what it is. The first start of a package includes its download.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(120);
/// How long it may take to say whether it knows `server/discover`.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);
/// Seconds after which an end of the child is not held against it any more.
const CALM_LIFETIME: i64 = 60;
/// Maximum seconds between two starts.
const MAX_BACKOFF: i64 = 30;

/// The shared child, and when it may be started again.
#[derive(Debug)]
pub(super) struct SharedChild {
    starter: Starter,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: Option<(Running, Server)>,
    /// Starts, each within a minute of the one before.
    starts: u32,
    started_at: i64,
    not_before: i64,
    last_used: i64,
    /// The child does not know `server/discover`, which came with 2026-07-28. Some end when asked.
    is_known_as_legacy: bool,
}

/// What a child has said of itself.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) link: Arc<Link>,
    /// Whether it speaks 2026-07-28.
    pub(super) is_modern: bool,
    /// The result of `initialize` of an older one.
    pub(super) about: Arc<Value>,
}

impl SharedChild {
    pub(super) fn new(starter: Starter, clock: Clock) -> Self {
        Self { starter, clock, state: Mutex::default() }
    }

    /// The child, which is started if it does not run.
    pub(super) async fn get(&self) -> Result<Server, Failure> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        state.last_used = now;
        if let Some((_, server)) = &state.running
            && !server.link.table().is_closed()
        {
            return Ok(server.clone());
        }
        state.running = None;
        if now < state.not_before {
            return Err(Failure::Unreachable);
        }
        if self.starter.count() >= self.starter.options().max_children {
            return Err(Failure::Busy);
        }
        state.note_start(now);
        let mut started = self.start(state.is_known_as_legacy).await;
        if started.is_none() && !state.is_known_as_legacy {
            started = self.start(true).await;
        }
        let Some((running, server)) = started else {
            state.not_before = state.not_before.max(now + 1);
            return Err(Failure::Unreachable);
        };
        state.is_known_as_legacy = !server.is_modern;
        state.running = Some((running, server.clone()));
        Ok(server)
    }

    /// Stops the child if nothing has used it for so many seconds.
    pub(super) async fn stop_if_idle(&self, idle_timeout: i64) {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        match &state.running {
            Some((running, _)) if running.link.table().is_in_use() => state.last_used = now,
            Some(_) if now - state.last_used >= idle_timeout => {
                state.running = None;
                state.starts = 0;
                state.not_before = 0;
            }
            _ => {}
        }
    }

    async fn start(&self, is_known_as_legacy: bool) -> Option<(Running, Server)> {
        let running = self.starter.start(true).ok()?;
        let link = running.link.clone();
        let greeting = async {
            if !is_known_as_legacy && let Some(about) = discover(&link).await? {
                return Some(Server { link: link.clone(), is_modern: true, about: about.into() });
            }
            let about = initialize(&link).await?;
            Some(Server { link: link.clone(), is_modern: false, about: about.into() })
        };
        match timeout(HANDSHAKE_TIMEOUT, greeting).await {
            Ok(Some(server)) => Some((running, server)),
            _ => {
                tracing::error!("the child has not said what it is");
                None
            }
        }
    }
}

impl State {
    /// The first end costs nothing, the next ones a pause, each twice as long as the one before.
    fn note_start(&mut self, now: i64) {
        if now - self.started_at > CALM_LIFETIME {
            self.starts = 0;
        }
        let pause = if self.starts == 0 { 0 } else { 1_i64 << (self.starts - 1).min(5) };
        self.starts = self.starts.saturating_add(1);
        self.started_at = now;
        self.not_before = now + pause.min(MAX_BACKOFF);
    }
}

/// Asks the child what it is in the way of 2026-07-28. The inner `None` means that it does not know this
/// way, the outer one that it has ended.
async fn discover(link: &Arc<Link>) -> Option<Option<Value>> {
    let meta = json!({META_VERSION: MODERN, META_CLIENT: myself(), META_CAPABILITIES: {}});
    let params = Params::of(&json!({"_meta": meta}));
    let pending = link.call(None, Message::request("server/discover"), params).await.ok()?;
    let answer = match timeout(PROBE_TIMEOUT, pending.response()).await {
        Ok(answer) => answer?,
        Err(_) => return Some(None),
    };
    let about = answer.result.map(|result| canonical(&result));
    let knows = |about: &Value| {
        let versions = about["supportedVersions"].as_array();
        versions.is_some_and(|versions| versions.iter().any(|version| version == MODERN))
    };
    Some(about.filter(knows))
}

/// Opens the conversation in the older way. The gate offers nothing that a server could ask of a
/// client, because nothing says whose call such a request would belong to.
async fn initialize(link: &Arc<Link>) -> Option<Value> {
    let params = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": myself()});
    let params = Params::of(&params);
    let pending = link.call(None, Message::request("initialize"), params).await.ok()?;
    let about = pending.response().await?.result.map(|result| canonical(&result))?;
    link.send(&Message::notification("notifications/initialized", json!({}))).await.ok()?;
    Some(about)
}

fn myself() -> Value {
    json!({"name": "portcullis-gate", "version": env!("CARGO_PKG_VERSION")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_ends_again_and_again_is_started_ever_less_often() {
        let mut state = State::default();
        let mut pauses = Vec::new();
        let mut now = 1000;
        for _ in 0..9 {
            state.note_start(now);
            pauses.push(state.not_before - now);
            now = state.not_before;
        }
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 30, 30, 30]);
        state.note_start(now + CALM_LIFETIME + 1);
        assert_eq!(state.not_before, now + CALM_LIFETIME + 1);
    }
}
