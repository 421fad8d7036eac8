//! Where the answer to an authorization request leads: to the client, to a refusal, or onward.

use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::evidence::{Exchange, is_temporary};

/// The members by which answers in JSON name the address that the browser is to open.
const ADDRESS_MEMBERS: [&str; 6] =
    ["url", "redirect", "redirect_uri", "redirect_url", "redirectTo", "location"];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Landing {
    /// To the redirect URI of the request, with these parameters.
    Client(Vec<(String, String)>),
    /// To a refusal that the client does not hear of: an error status, the server's own error page,
    /// or an error as JSON.
    Refused,
    /// To a page of the server or to another address, as for a request that may succeed.
    Onward,
    /// To an error of the server itself, or to a limit of requests, which neither accepts nor
    /// refuses.
    Broken,
}

impl Landing {
    /// Where `answer` leads if the request named `redirect_uri`.
    pub(super) fn of(answer: &Exchange, redirect_uri: &str) -> Self {
        let destination = destination(answer);
        let parameters = destination.as_ref().map(parameters).unwrap_or_default();
        let asked = Url::parse(redirect_uri).ok();
        let goes_to_client = destination.as_ref().zip(asked).is_some_and(|(there, asked)| {
            there.origin() == asked.origin() && there.path() == asked.path()
        });
        let is_temporary = error_code(answer).is_some_and(|error| is_temporary(&error));
        if answer.status.is_server_error() || is_temporary {
            Self::Broken
        } else if goes_to_client {
            Self::Client(parameters)
        } else if answer.status.is_client_error()
            || value(&parameters, "error").is_some()
            || (answer.status.is_success() && answer.text("error").is_some())
        {
            Self::Refused
        } else {
            Self::Onward
        }
    }

    /// A parameter that the client is sent.
    pub(super) fn parameter(&self, wanted: &str) -> Option<&str> {
        let Self::Client(parameters) = self else { return None };
        value(parameters, wanted)
    }

    /// Whether the request is refused, be it at the client or elsewhere.
    pub(super) fn is_refusal(&self) -> bool {
        *self == Self::Refused || self.parameter("error").is_some()
    }
}

/// The address that the browser goes to: by a redirect, or as JSON says to a script.
pub(super) fn destination(answer: &Exchange) -> Option<Url> {
    if let Some(location) = answer.location() {
        return Some(location);
    }
    let object = answer.object().filter(|_| answer.status == StatusCode::OK)?;
    let mut addresses = ADDRESS_MEMBERS.iter().filter_map(|name| object.get(*name));
    let address = addresses.find_map(Value::as_str)?;
    answer.url.join(address).ok()
}

/// The error code of an answer, in its body or in the redirect.
pub(super) fn error_code(answer: &Exchange) -> Option<String> {
    let sent = destination(answer).map(|there| parameters(&there)).unwrap_or_default();
    value(&sent, "error").or_else(|| answer.text("error")).map(str::to_owned)
}

/// The answer in few words: its status, where it leads and its error.
pub(super) fn in_words(answer: &Exchange) -> String {
    let Some(there) = destination(answer) else { return answer.in_words() };
    let parameters = parameters(&there);
    let place = if there.origin() == answer.url.origin() {
        there.path().to_owned()
    } else {
        format!("{}{}", there.origin().ascii_serialization(), there.path())
    };
    let mut words = format!("{} to {place}", answer.status.as_u16());
    if let Some(error) = value(&parameters, "error") {
        words.push_str(&format!(" with {error}"));
    }
    if let Some(description) = value(&parameters, "error_description") {
        words.push_str(&format!(": {description}"));
    }
    words
}

fn value<'a>(parameters: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

/// The parameters of the query and of the fragment, where answers to implicit requests have them
/// (OAuth 2.0 Multiple Response Type Encoding Practices §2.1).
fn parameters(url: &Url) -> Vec<(String, String)> {
    let fragment = url.fragment().unwrap_or_default().as_bytes();
    let pairs = url.query_pairs().chain(url::form_urlencoded::parse(fragment));
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    const CLIENT: &str = "http://127.0.0.1:1/callback";

    fn answer(status: u16, location: &str, json: Option<Value>) -> Exchange {
        let mut headers = HeaderMap::new();
        if !location.is_empty() {
            headers.insert("location", HeaderValue::from_str(location).expect("a header"));
        }
        Exchange {
            url: Url::parse("https://as.example/authorize").expect("a URL"),
            status: StatusCode::from_u16(status).expect("a status"),
            headers,
            json,
            received_at: 0,
        }
    }

    fn landing(status: u16, location: &str) -> Landing {
        Landing::of(&answer(status, location, None), CLIENT)
    }

    #[test]
    fn errors_are_read_from_the_query_and_from_the_fragment() {
        for location in [
            "http://127.0.0.1:1/callback?error=invalid_request&state=s",
            "http://127.0.0.1:1/callback#error=invalid_request&state=s",
        ] {
            let landing = landing(302, location);
            assert_eq!(landing.parameter("error"), Some("invalid_request"), "{location}");
            assert_eq!(landing.parameter("state"), Some("s"), "{location}");
        }
    }

    #[test]
    fn an_error_page_of_the_server_is_a_refusal_and_no_redirect_to_the_client() {
        for location in ["/error?error=invalid_client", "https://pages.example/#error=x"] {
            assert_eq!(landing(302, location), Landing::Refused, "{location}");
        }
        assert_eq!(landing(400, ""), Landing::Refused);
        for json in [json!({"error": "x"}), json!({"url": "/error?error=x", "redirect": true})] {
            let answer = answer(200, "", Some(json.clone()));
            assert_eq!(Landing::of(&answer, CLIENT), Landing::Refused, "{json}");
        }
    }

    #[test]
    fn an_address_in_json_counts_as_a_redirect() {
        let address = format!("{CLIENT}?code=c");
        let answer = answer(200, "", Some(json!({"redirect": true, "url": address})));
        assert_eq!(Landing::of(&answer, CLIENT).parameter("code"), Some("c"));
    }

    #[test]
    fn a_page_a_sign_in_and_a_crash_say_nothing_yet() {
        assert_eq!(landing(200, ""), Landing::Onward);
        assert_eq!(landing(302, "/login?then=1"), Landing::Onward);
        assert_eq!(landing(302, "https://id.example/?redirect_uri=x"), Landing::Onward);
        assert_eq!(landing(302, "http://127.0.0.1:1/other?code=x"), Landing::Onward);
        assert_eq!(landing(500, ""), Landing::Broken);
        let busy = format!("{CLIENT}?error=temporarily_unavailable");
        assert_eq!(landing(302, &busy), Landing::Broken);
    }
}
