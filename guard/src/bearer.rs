//! Reads the access token of a request (RFC 6750 §2).

use std::{fmt, str};

use axum::http::{HeaderMap, HeaderValue, Uri, header::AUTHORIZATION};

use crate::refusal::Refusal;

/// Headers that decide who calls what. The server behind the guard may read the other value of one
/// that is repeated.
const SINGLE: [&str; 9] = [
    "authorization",
    "dpop",
    "host",
    "origin",
    "mcp-protocol-version",
    "mcp-session-id",
    "mcp-method",
    "mcp-name",
    "last-event-id",
];

/// Maximum length of a token, in bytes.
const MAX_TOKEN_LENGTH: usize = 16 * 1024;

/// The scheme of the `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Bearer,
    /// The token is bound to a key and comes with a proof by it (RFC 9449 §7.1).
    Dpop,
}

impl Scheme {
    fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case("dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }

    /// The scheme of a request, even if its header is otherwise malformed.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let value = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let name = value.split(|byte| *byte == b' ').next().unwrap_or_default();
        str::from_utf8(name).ok().and_then(Self::parse).unwrap_or(Self::Bearer)
    }
}

/// A token as it was sent. Nothing of it has been verified.
#[derive(Clone, Copy)]
pub(crate) struct BearerToken<'a>(&'a str);

impl<'a> BearerToken<'a> {
    /// Reads the token from the `Authorization` header, the only place where it is accepted.
    pub(crate) fn from_request(
        headers: &'a HeaderMap,
        uri: &Uri,
    ) -> Result<(Scheme, Self), Refusal> {
        let query = uri.query().unwrap_or_default();
        if query.split('&').any(|pair| pair.split('=').next() == Some("access_token")) {
            return Err(Refusal::InQuery);
        }
        let value = headers.get(AUTHORIZATION).ok_or(Refusal::Missing)?;
        let value = str::from_utf8(value.as_bytes()).map_err(|_| Refusal::Malformed)?;
        if !value.is_ascii() {
            return Err(Refusal::Malformed);
        }
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        // A client that uses another scheme does not know yet what this server needs (RFC 6750 §3).
        let scheme = Scheme::parse(scheme).ok_or(Refusal::Missing)?;
        // Several spaces may separate the two (RFC 9110 §11.4).
        let token = token.trim_matches(' ');
        if token.is_empty() || !token.bytes().all(|byte| TOKEN_CHARACTERS[usize::from(byte)]) {
            return Err(Refusal::Malformed);
        }
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(Refusal::TooLong);
        }
        Ok((scheme, Self(token)))
    }

    /// Whether it has the three parts of a JWT, so that it can be verified locally.
    pub(crate) fn is_jwt(self) -> bool {
        self.0.split('.').count() == 3
    }

    pub(crate) fn expose(self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for BearerToken<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BearerToken(redacted)")
    }
}

/// Whether each byte is a character of tokens (RFC 6750 §2.1). Tokens are long, and a table is the
/// fastest way to look at each character.
const TOKEN_CHARACTERS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        byte += 1;
    }
    table
};

/// Refuses a request that repeats a header which decides who calls what.
pub(crate) fn refuse_repeated(headers: &HeaderMap) -> Result<(), Refusal> {
    // A map with as many names as values repeats none.
    if headers.keys_len() == headers.len() {
        return Ok(());
    }
    match SINGLE.into_iter().find(|name| headers.get_all(*name).iter().count() > 1) {
        Some(name) => Err(Refusal::Repeated(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str, uri: &'static str) -> Result<String, Refusal> {
        let headers = [(AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
        BearerToken::from_request(&headers, &Uri::from_static(uri))
            .map(|(_, token)| token.0.to_owned())
    }

    #[test]
    fn one_bearer_token_is_read_whatever_the_case_of_the_scheme() {
        assert_eq!(read("Bearer a.b.c", "/mcp").unwrap(), "a.b.c");
        assert_eq!(read("bEaReR a", "/mcp").unwrap(), "a");
        assert_eq!(read("dpop a", "/mcp").unwrap(), "a");
        assert_eq!(read("Bearer  a.b.c", "/mcp").unwrap(), "a.b.c");
        assert_eq!(read("Bearer     a ", "/mcp").unwrap(), "a");
    }

    #[test]
    fn another_scheme_is_no_token() {
        for value in ["Basic YTpi", "Digest a=b", "Negotiate", "a", "Bearers a", ""] {
            assert_eq!(read(value, "/mcp"), Err(Refusal::Missing), "{value}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for value in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "DPoP  a\tb"] {
            assert_eq!(read(value, "/mcp"), Err(Refusal::Malformed), "{value}");
        }
        let headers = HeaderMap::new();
        let none = BearerToken::from_request(&headers, &Uri::from_static("/mcp"));
        assert_eq!(none.map(|(_, token)| token.0), Err(Refusal::Missing));
    }

    #[test]
    fn a_token_that_nobody_would_issue_is_not_looked_at() {
        let read = |length| {
            let value = format!("Bearer {}", "a".repeat(length));
            let headers = [(AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
            BearerToken::from_request(&headers, &Uri::from_static("/mcp")).map(|_| ())
        };
        assert_eq!(read(MAX_TOKEN_LENGTH), Ok(()));
        assert_eq!(read(MAX_TOKEN_LENGTH + 1), Err(Refusal::TooLong));
    }

    #[test]
    fn a_token_in_the_query_is_refused_even_beside_a_header() {
        assert_eq!(read("Bearer a", "/mcp?x=1&access_token=a"), Err(Refusal::InQuery));
    }

    #[test]
    fn a_doubled_header_is_refused() {
        let mut headers = HeaderMap::new();
        headers.append("mcp-name", "echo".parse().unwrap());
        assert_eq!(refuse_repeated(&headers), Ok(()));
        headers.append("mcp-name", "echo".parse().unwrap());
        assert_eq!(refuse_repeated(&headers), Err(Refusal::Repeated("mcp-name")));
    }
}
