//! The other way back from the browser: the person pastes the address it ended on.
//!
//! On a machine without a browser the address is opened elsewhere, and that browser cannot reach
//! this machine's loopback listener. What it shows in its address line is all that is needed.

use std::fs::File;
use std::io::{self, Read};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::oauth::OAuthError;
use crate::oauth::authorization_request::AuthorizationRequest;
use crate::oauth::authorization_response::{Judgement, judge};
use crate::output::Output;
use crate::secret::Secret;

/// A terminal hands out at most this much of a line at once.
const LONGEST_LINE: usize = 4096;

/// Waits until an address is typed into the terminal that answers `request`. Where there is no
/// terminal to read, it waits for ever.
///
/// # Errors
/// [`OAuthError`] when the answer is a refusal, malformed or from somebody else.
pub async fn answer(request: &AuthorizationRequest, output: &Output) -> Result<Secret, OAuthError> {
    let Ok(terminal) = Terminal::open() else { return std::future::pending().await };
    loop {
        let Ok(line) = terminal.line().await else { return std::future::pending().await };
        if line.is_empty() {
            continue;
        }
        match judge(request, query(&line)) {
            Judgement::Ours(outcome) => return outcome,
            Judgement::NotOurs => output.say(
                "That is not the address this sign-in ends on. It begins with \
                 http://127.0.0.1 and carries `state` and `code`.",
            ),
        }
    }
}

/// The query of an address, or the line itself if only the query was pasted.
fn query(line: &str) -> &str {
    line.split_once('?').map_or(line, |(_, query)| query.split('#').next().unwrap_or(query))
}

/// The terminal, opened a second time so that giving up waiting takes nothing from stdin.
struct Terminal(AsyncFd<File>);

impl Terminal {
    fn open() -> io::Result<Self> {
        AsyncFd::with_interest(File::open("/dev/tty")?, Interest::READABLE).map(Self)
    }

    /// The next line, without surrounding spaces. A terminal is readable when it has a whole line,
    /// so this read does not wait.
    async fn line(&self) -> io::Result<String> {
        let mut ready = self.0.readable().await?;
        let mut bytes = [0; LONGEST_LINE];
        let length = self.0.get_ref().read(&mut bytes)?;
        ready.clear_ready();
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = bytes.get(..length).unwrap_or_default();
        Ok(String::from_utf8_lossy(line).trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_address_or_its_query_may_be_pasted() {
        assert_eq!(query("http://127.0.0.1:4242/callback?code=c&state=s#_=_"), "code=c&state=s");
        assert_eq!(query("code=c&state=s"), "code=c&state=s");
    }
}
