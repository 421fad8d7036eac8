//! Step 1: what a `WWW-Authenticate` header asks for (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728
//! §5.1).

use super::{dpop::USE_DPOP_NONCE, scope::Scope};

/// One challenge of the header: a scheme and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The scheme as it was sent; schemes are compared without regard to case.
    pub(crate) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The value of `name`, whose case does not matter. The first one counts.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Every value of `name`: a challenge may have it once only (RFC 9110 §11.2).
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let parameters = self.parameters.iter();
        let named = parameters.filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| &**value)
    }

    fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }
}

/// What an MCP server says when it refuses a request for want of authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuthorizationChallenge {
    /// Where its protected resource metadata is (RFC 9728 §5.1).
    pub(crate) resource_metadata: Option<String>,
    /// The scopes this operation needs (RFC 6750 §3).
    pub(crate) scope: Option<Scope>,
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub(crate) error: Option<String>,
    /// Whether it takes tokens that are bound to a key (RFC 9449 §7.1).
    pub(crate) offers_dpop: bool,
    /// Whether it takes no others.
    pub(crate) offers_only_dpop: bool,
}

impl AuthorizationChallenge {
    /// Reads the header. Several header lines count as one, joined by commas (RFC 9110 §5.3).
    ///
    /// A server and a gateway in front of it may each send a challenge. Each parameter is taken
    /// from the first `Bearer` challenge that has it, or else from the first `DPoP` challenge.
    pub(crate) fn parse(header: &str) -> Self {
        let challenges = parse(header);
        let of = |scheme: &'static str| challenges.iter().filter(move |one| one.is(scheme));
        let parameter = |name: &str| {
            let mut values = of("Bearer").chain(of("DPoP")).filter_map(|one| one.parameter(name));
            values.find(|value| !value.is_empty()).map(str::to_owned)
        };
        let offers_dpop = of("DPoP").next().is_some();
        Self {
            resource_metadata: parameter("resource_metadata"),
            scope: parameter("scope").map(|text| Scope::parse(&text)).filter(|s| !s.is_empty()),
            error: parameter("error"),
            offers_dpop,
            offers_only_dpop: offers_dpop && of("Bearer").next().is_none(),
        }
    }

    /// Whether the header asks for the same request with a nonce in its proof (RFC 9449 §9).
    pub(crate) fn wants_nonce(header: &str) -> bool {
        parse(header).iter().any(|challenge| {
            challenge.is("DPoP") && challenge.parameter("error") == Some(USE_DPOP_NONCE)
        })
    }

    /// Whether a wider token would help (RFC 6750 §3.1).
    pub(crate) fn wants_more_scope(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}

/// All challenges of `header`, in order. Unparsable text is skipped up to the next comma.
pub(crate) fn parse(header: &str) -> Vec<Challenge> {
    let mut rest = Rest(header);
    let mut challenges: Vec<Challenge> = Vec::new();
    loop {
        rest.skip(|character| character == ',' || is_space(character));
        if rest.0.is_empty() {
            return challenges;
        }
        let token = rest.take(is_token).to_owned();
        let after_token = rest;
        rest.skip(is_space);
        if let (Some(challenge), Some(value)) = (challenges.last_mut(), rest.parameter_value()) {
            challenge.parameters.push((token, value));
        } else if token.is_empty() || after_token.is_glued() {
            rest = after_token;
            rest.skip(|character| character != ',');
        } else {
            rest.skip_token68();
            challenges.push(Challenge { scheme: token, parameters: Vec::new() });
        }
    }
}

/// What is left of the header.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|character| !wanted(character)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn skip(&mut self, unwanted: impl Fn(char) -> bool) {
        self.take(unwanted);
    }

    /// `= value`, quoted or not; nothing is consumed if something else follows.
    fn parameter_value(&mut self) -> Option<String> {
        let mut ahead = Rest(self.0.strip_prefix('=')?);
        ahead.skip(is_space);
        let value = match ahead.0.strip_prefix('"') {
            Some(quoted) => {
                let (value, rest) = unquote(quoted)?;
                ahead.0 = rest;
                value
            }
            // Unquoted URLs are not valid tokens, but servers send them.
            None => ahead.take(|c| c != ',' && c != '"' && !is_space(c)).to_owned(),
        };
        *self = ahead;
        Some(value)
    }

    /// Whether the token just read is followed by neither a space, a comma nor the end.
    fn is_glued(&self) -> bool {
        self.0.starts_with(|character| character != ',' && !is_space(character))
    }

    /// Skips credentials like `dG9rZW4=`, which a scheme may have instead of parameters.
    fn skip_token68(&mut self) {
        let mut ahead = *self;
        ahead.skip(|character| character.is_ascii_alphanumeric() || "-._~+/".contains(character));
        ahead.skip(|character| character == '=');
        ahead.skip(is_space);
        if ahead.0.is_empty() || ahead.0.starts_with(',') {
            *self = ahead;
        }
    }
}

/// The content of a quoted string and what follows it; `None` if it never ends.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(index + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

fn is_space(character: char) -> bool {
    character == ' ' || character == '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(header: &str) -> Vec<(String, Vec<(String, String)>)> {
        parse(header).into_iter().map(|one| (one.scheme, one.parameters)).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_usual_challenge_is_understood() {
        let challenge = AuthorizationChallenge::parse(
            r#"Bearer resource_metadata="http://localhost:3001/.well-known/oauth-protected-resource/mcp", scope="mcp:tools profile""#,
        );
        assert_eq!(
            challenge.resource_metadata.as_deref(),
            Some("http://localhost:3001/.well-known/oauth-protected-resource/mcp")
        );
        assert_eq!(challenge.scope, Some(Scope::parse("mcp:tools profile")));
        assert!(!challenge.wants_more_scope());
    }

    #[test]
    fn several_challenges_in_one_header_are_told_apart() {
        let header = r#"Basic realm="a, b=c", Bearer error="insufficient_scope" , scope="x y",Digest nonce=abc"#;
        assert_eq!(
            parsed(header),
            [
                ("Basic".to_owned(), pairs(&[("realm", "a, b=c")])),
                ("Bearer".to_owned(), pairs(&[("error", "insufficient_scope"), ("scope", "x y")])),
                ("Digest".to_owned(), pairs(&[("nonce", "abc")])),
            ]
        );
    }

    #[test]
    fn bearer_counts_wherever_it_stands_and_dpop_without_it() {
        let both = r#"DPoP algs="ES256", scope="dpop", bearer scope="b""#;
        assert_eq!(AuthorizationChallenge::parse(both).scope, Some(Scope::parse("b")));
        let dpop = r#"DPoP scope="d""#;
        assert_eq!(AuthorizationChallenge::parse(dpop).scope, Some(Scope::parse("d")));
    }

    #[test]
    fn every_bearer_challenge_is_read_and_the_first_that_says_it_counts() {
        let header = r#"Bearer realm="gateway", Basic realm="x", bearer scope="a", resource_metadata="https://a.example/m", Bearer scope="b", error="invalid_token""#;
        let challenge = AuthorizationChallenge::parse(header);
        assert_eq!(challenge.resource_metadata.as_deref(), Some("https://a.example/m"));
        assert_eq!(challenge.scope, Some(Scope::parse("a")));
        assert_eq!(challenge.error.as_deref(), Some("invalid_token"));
        let empty = r#"Bearer resource_metadata="", Bearer resource_metadata=https://b.example"#;
        let challenge = AuthorizationChallenge::parse(empty);
        assert_eq!(challenge.resource_metadata.as_deref(), Some("https://b.example"));
    }

    #[test]
    fn a_scheme_may_stand_alone_or_carry_credentials() {
        assert_eq!(parsed("Bearer"), [("Bearer".to_owned(), Vec::new())]);
        assert_eq!(
            parsed("Negotiate dG9r/ZW4=, Bearer scope=a"),
            [("Negotiate".to_owned(), Vec::new()), ("Bearer".to_owned(), pairs(&[("scope", "a")]))]
        );
        assert_eq!(parsed("Negotiate, Custom abc, Bearer scope=a").len(), 3);
    }

    #[test]
    fn escapes_spaces_and_capitals_do_not_matter() {
        let challenge = parse(r#"BEARER  Error = "a\"b\\c" ,SCOPE=x"#);
        assert_eq!(challenge[0].parameter("error"), Some(r#"a"b\c"#));
        assert_eq!(challenge[0].parameter("scope"), Some("x"));
    }

    #[test]
    fn an_unquoted_address_is_read_to_its_end() {
        let challenge =
            AuthorizationChallenge::parse("Bearer resource_metadata=https://a.example/x?y=z");
        assert_eq!(challenge.resource_metadata.as_deref(), Some("https://a.example/x?y=z"));
    }

    #[test]
    fn words_inside_a_description_are_not_parameters() {
        let challenge = AuthorizationChallenge::parse(
            r#"Bearer error_description="send scope=admin, error=\"x\"", error="invalid_token""#,
        );
        assert_eq!((challenge.scope, challenge.error.as_deref()), (None, Some("invalid_token")));
    }

    #[test]
    fn nonsense_is_skipped_without_end_or_panic() {
        for header in ["", ",,,", "=", "\"", "Bearer \"", "Bearer a=\"b", "é, Bearer x", "a=b"] {
            parse(header);
        }
        assert_eq!(
            AuthorizationChallenge::parse("?, Bearer scope=a").scope,
            Some(Scope::parse("a"))
        );
        assert_eq!(
            AuthorizationChallenge::parse("Basic realm=x"),
            AuthorizationChallenge::default()
        );
    }
}
