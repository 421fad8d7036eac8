//! Step 7: what the browser brings back, judged against the request (OAuth 2.1 §4.1.2, RFC 9207).

use url::form_urlencoded;

use super::{OAuthError, authorization_request::AuthorizationRequest};
use crate::secret::Secret;

/// What a query that arrived at the redirect URI method.
#[derive(Debug)]
pub(crate) enum Callback {
    /// It does not carry this request's `state`, so it is not an answer to it and is ignored.
    Unrelated,
    /// It is the answer to this request, good or bad.
    Answer(Result<Secret, OAuthError>),
}

/// Validates `query` in the order that gives a forger nothing: first whether it belongs to this
/// request, then who sent it, and only then what it says.
pub(crate) fn validate(request: &AuthorizationRequest, query: &str) -> Callback {
    let response = Response(form_urlencoded::parse(query.as_bytes()).into_owned().collect());
    if response.get("state") != Some(&request.state) {
        return Callback::Unrelated;
    }
    Callback::Answer(code(request, &response))
}

fn code(request: &AuthorizationRequest, response: &Response) -> Result<Secret, OAuthError> {
    if response.repeats_a_parameter() {
        return Err(OAuthError::MalformedResponse { reason: "a parameter is there twice" });
    }
    check_issuer(request, response.get("iss"))?;
    if let Some(error) = response.get("error") {
        return Err(refusal(request, error, response.get("error_description")));
    }
    let code = response.get("code").filter(|code| !code.is_empty());
    let code = code.ok_or(OAuthError::MalformedResponse { reason: "it has no code" })?;
    Ok(Secret::new(code))
}

/// RFC 9207 §2.4: an `iss` must be the issuer that was asked, byte for byte, whether or not it was
/// promised; a promised one must be there. An error response is no exception.
fn check_issuer(request: &AuthorizationRequest, iss: Option<&str>) -> Result<(), OAuthError> {
    let expected = || request.issuer.clone();
    match iss {
        Some(iss) if iss == request.issuer => Ok(()),
        Some(iss) => Err(OAuthError::WrongIssuer { expected: expected(), found: iss.to_owned() }),
        None if request.promises_iss => Err(OAuthError::MissingIssuer { expected: expected() }),
        None => Ok(()),
    }
}

fn refusal(request: &AuthorizationRequest, error: &str, description: Option<&str>) -> OAuthError {
    if error == "access_denied" {
        return OAuthError::Denied;
    }
    let reason = description.map_or(error.to_owned(), |words| format!("{error}: {words}"));
    OAuthError::AuthorizationRefused { issuer: request.issuer.clone(), reason }
}

struct Response(Vec<(String, String)>);

impl Response {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// OAuth 2.1 §3.1: no parameter may be included more than once.
    fn repeats_a_parameter(&self) -> bool {
        let names = || self.0.iter().map(|(name, _)| name);
        names().enumerate().any(|(index, name)| names().take(index).any(|earlier| earlier == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorization_request::tests::request;

    fn judged(promises_iss: bool, query: &str) -> Callback {
        let metadata =
            serde_json::json!({"authorization_response_iss_parameter_supported": promises_iss});
        let mut request = request(metadata, "a");
        request.state = "s1".to_owned();
        validate(&request, query)
    }

    fn code_of(promises_iss: bool, query: &str) -> Result<String, OAuthError> {
        match judged(promises_iss, query) {
            Callback::Answer(outcome) => outcome.map(|code| code.reveal().to_owned()),
            Callback::Unrelated => panic!("not ours: {query}"),
        }
    }

    #[test]
    fn a_response_without_our_state_is_not_ours() {
        for query in ["", "code=c", "code=c&state=", "code=c&state=S1", "state=s2&state=s1"] {
            assert!(matches!(judged(false, query), Callback::Unrelated), "{query}");
        }
    }

    #[test]
    fn a_code_from_the_right_issuer_is_taken() {
        let iss = "iss=https%3A%2F%2Fas.example";
        for promised in [true, false] {
            let code = code_of(promised, &format!("code=c+1&state=s1&{iss}"));
            assert_eq!(code.expect("accepted"), "c 1");
        }
        assert_eq!(code_of(false, "code=c&state=s1").expect("accepted"), "c");
    }

    #[test]
    fn a_promised_issuer_must_be_there() {
        assert!(matches!(code_of(true, "code=c&state=s1"), Err(OAuthError::MissingIssuer { .. })));
    }

    #[test]
    fn an_issuer_that_differs_by_one_byte_is_refused_even_if_none_was_promised() {
        for iss in ["https://as.example/", "https://AS.example", "https://as.example:443", ""] {
            for promised in [true, false] {
                let judged = code_of(promised, &format!("code=c&state=s1&iss={iss}"));
                assert!(matches!(judged, Err(OAuthError::WrongIssuer { .. })), "{iss}");
            }
        }
    }

    #[test]
    fn an_error_from_the_wrong_issuer_is_not_shown() {
        let query =
            "error=server_error&error_description=pay+here&state=s1&iss=https://evil.example";
        let error = code_of(true, query).expect_err("refused");
        assert!(!error.to_string().contains("pay here"), "{error}");
    }

    #[test]
    fn a_refusal_by_the_person_is_told_apart_from_others() {
        assert!(matches!(code_of(false, "error=access_denied&state=s1"), Err(OAuthError::Denied)));
        let error = code_of(false, "error=invalid_scope&error_description=no+such&state=s1");
        assert!(error.expect_err("refused").to_string().ends_with("invalid_scope: no such"));
    }

    #[test]
    fn doubled_parameters_and_missing_codes_are_malformed() {
        for query in
            ["code=a&code=b&state=s1", "state=s1&code=c&state=s1", "state=s1", "code=&state=s1"]
        {
            let judged = code_of(false, query);
            assert!(matches!(judged, Err(OAuthError::MalformedResponse { .. })), "{query}");
        }
    }
}
