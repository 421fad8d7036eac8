//! The other way back from the browser: the user pastes the address it ended on.
//!
//! On a machine without a browser the address is opened elsewhere, and that browser cannot reach
//! this machine's loopback listener. What it shows in its address line is all that is needed.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    net::unix::pipe::Receiver,
};

use crate::{
    oauth::{
        OAuthError,
        authorization_request::AuthorizationRequest,
        authorization_response::{Callback, validate},
    },
    secret::Secret,
    terminal::output::Output,
};

/// Waits until an address is typed into the terminal that answers `request`. Without a
/// terminal it waits forever.
pub(crate) async fn answer(
    request: &AuthorizationRequest,
    output: &Output,
) -> Result<Secret, OAuthError> {
    let Ok(mut lines) = terminal_lines() else { return std::future::pending().await };
    loop {
        let Ok(Some(line)) = lines.next_line().await else { return std::future::pending().await };
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        match validate(request, query(line)) {
            Callback::Answer(outcome) => return outcome,
            Callback::Unrelated => output.say(
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

/// The lines typed into the terminal. It is opened a second time and read without waiting, so that
/// cancelling this leaves no reader behind that would swallow the next line.
fn terminal_lines() -> io::Result<Lines<BufReader<Receiver>>> {
    let terminal = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/tty")?;
    Ok(BufReader::new(Receiver::from_file_unchecked(terminal)?).lines())
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
