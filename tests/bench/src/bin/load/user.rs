//! A virtual user: values, cookies, and one connection for each server.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, Read},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::{
    connection::{Answer, Connection},
    step::{Request, Step, Variables},
};

/// Longest time for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A virtual user.
pub(crate) struct User {
    pub(crate) values: Variables,
    cookies: Variables,
    connections: HashMap<String, Connection>,
}

impl User {
    pub(crate) fn new(values: Variables) -> Self {
        Self { values, cookies: BTreeMap::new(), connections: HashMap::new() }
    }

    /// Goes through steps, up to the first that fails.
    pub(crate) async fn walk(&mut self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            self.take(step).await?;
        }
        Ok(())
    }

    async fn take(&mut self, step: &Step) -> Result<(), String> {
        let fail = |error: io::Error| format!("{}: {error}", step.name);
        for name in &step.fresh {
            self.values.insert(name.clone(), random().map_err(fail)?);
        }
        if step.pkce {
            let verifier = random().map_err(fail)?;
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
            self.values.insert("challenge".to_owned(), challenge);
            self.values.insert("verifier".to_owned(), verifier);
        }
        let request = step.request(&self.values, &self.cookies)?;
        let answer = self.send(&request).await.map_err(fail)?;
        if step.cookies {
            self.keep_cookies(&answer);
        }
        step.learn(&answer, &mut self.values)
    }

    /// Sends on the open connection, or on a fresh one if the server has closed it.
    async fn send(&mut self, request: &Request) -> io::Result<Answer> {
        if let Some(mut connection) = self.connections.remove(&request.authority)
            && let Ok(answer) = timeout(ANSWER_TIMEOUT, connection.exchange(&request.bytes)).await?
        {
            return Ok(self.keep(request, connection, answer));
        }
        let mut connection = Connection::open(&request.authority).await?;
        let answer = timeout(ANSWER_TIMEOUT, connection.exchange(&request.bytes)).await??;
        Ok(self.keep(request, connection, answer))
    }

    fn keep(&mut self, request: &Request, connection: Connection, answer: Answer) -> Answer {
        let closes = |(name, value): &(String, String)| name == "connection" && value == "close";
        if !answer.headers.iter().any(closes) {
            self.connections.insert(request.authority.clone(), connection);
        }
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() || cookie.to_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// 32 random bytes in base64url.
fn random() -> io::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
