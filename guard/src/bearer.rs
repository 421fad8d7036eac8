//! From a header to a token (RFC 6750 §2).

use std::fmt;

use axum::http::{HeaderMap, Uri, header::AUTHORIZATION};

use crate::refusal::Refusal;

/// Headers that decide who calls what. One that comes twice may be read differently by the next
/// in line.
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

/// A token longer than this is not looked at, in bytes.
const LONGEST_TOKEN: usize = 16 * 1024;

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Whoever has the token may use it.
    Bearer,
    /// Together with a proof by the key that the token is bound to (RFC 9449 §7.1).
    Dpop,
}

impl Scheme {
    fn parse(name: &str) -> Option<Self> {
        let is = |known| name.eq_ignore_ascii_case(known);
        match (is("bearer"), is("dpop")) {
            (true, _) => Some(Self::Bearer),
            (_, true) => Some(Self::Dpop),
            _ => None,
        }
    }

    /// The scheme that a request uses, whatever else is wrong with it.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let name = value.and_then(|value| value.split(' ').next()).and_then(Self::parse);
        name.unwrap_or(Self::Bearer)
    }
}

/// A token as it was presented; nothing of it has been checked.
#[derive(Clone)]
pub(crate) struct BearerToken(String);

impl BearerToken {
    /// Takes the token from the `Authorization` header, the only place it may stand.
    pub(crate) fn of(headers: &HeaderMap, uri: &Uri) -> Result<(Scheme, Self), Refusal> {
        let query = uri.query().unwrap_or_default();
        if query.split('&').any(|pair| pair.split('=').next() == Some("access_token")) {
            return Err(Refusal::InQuery);
        }
        let value = headers.get(AUTHORIZATION).ok_or(Refusal::Missing)?;
        let value = value.to_str().map_err(|_| Refusal::Malformed)?;
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        // With another scheme, as with none, a client does not know yet what is asked for here
        // (RFC 6750 §3).
        let scheme = Scheme::parse(scheme).ok_or(Refusal::Missing)?;
        // Between the two there may be several spaces (RFC 9110 §11.4).
        let token = token.trim_matches(' ');
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        match !token.is_empty() && token.bytes().all(legal) {
            true if token.len() <= LONGEST_TOKEN => Ok((scheme, Self(token.into()))),
            true => Err(Refusal::TooLong),
            false => Err(Refusal::Malformed),
        }
    }

    /// Whether it has the three parts of a JWT, so that it can be judged here.
    pub(crate) fn is_jwt(&self) -> bool {
        self.0.split('.').count() == 3
    }

    /// The text.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BearerToken(redacted)")
    }
}

/// Refuses a request in which a deciding header stands twice.
pub(crate) fn refuse_doubled(headers: &HeaderMap) -> Result<(), Refusal> {
    match SINGLE.into_iter().find(|name| headers.get_all(*name).iter().count() > 1) {
        Some(name) => Err(Refusal::Doubled(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str, uri: &'static str) -> Result<String, Refusal> {
        let headers = [(AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
        BearerToken::of(&headers, &Uri::from_static(uri)).map(|(_, token)| token.0)
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
        let none = BearerToken::of(&HeaderMap::new(), &Uri::from_static("/mcp"));
        assert_eq!(none.map(|(_, token)| token.0), Err(Refusal::Missing));
    }

    #[test]
    fn a_token_that_nobody_would_issue_is_not_looked_at() {
        let read = |length| {
            let value = format!("Bearer {}", "a".repeat(length));
            let headers = [(AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
            BearerToken::of(&headers, &Uri::from_static("/mcp")).map(|_| ())
        };
        assert_eq!(read(LONGEST_TOKEN), Ok(()));
        assert_eq!(read(LONGEST_TOKEN + 1), Err(Refusal::TooLong));
    }

    #[test]
    fn a_token_in_the_query_is_refused_even_beside_a_header() {
        assert_eq!(read("Bearer a", "/mcp?x=1&access_token=a"), Err(Refusal::InQuery));
    }

    #[test]
    fn a_doubled_header_is_refused() {
        let mut headers = HeaderMap::new();
        headers.append("mcp-name", "echo".parse().unwrap());
        assert_eq!(refuse_doubled(&headers), Ok(()));
        headers.append("mcp-name", "echo".parse().unwrap());
        assert_eq!(refuse_doubled(&headers), Err(Refusal::Doubled("mcp-name")));
    }
}
