//! The parameters of a request, as OAuth reads them (RFC 6749 §3.1, §3.2).

use std::collections::HashMap;

use percent_encoding::percent_decode;
use serde::{Deserialize, Serialize};

use super::error::OAuthError;

/// Longest `state`, `nonce` and `login_hint`, in bytes.
pub(crate) const MAX_SHORT_LENGTH: usize = 2048;
/// Most parameters of a request.
const MAX_PARAMETERS: usize = 1000;

/// Decoded parameters. Each may occur once, except `resource`; one without a value counts as
/// left out. Unknown parameters are kept and never looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Parameters(HashMap<String, Vec<String>>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text, from a query or a body.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, OAuthError> {
        let mut parameters: HashMap<String, Vec<String>> = HashMap::new();
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        for (number, pair) in pairs.enumerate() {
            if number == MAX_PARAMETERS {
                return Err(OAuthError::invalid_request(
                    "parameters_too_many",
                    format!("The request holds more than {MAX_PARAMETERS} parameters."),
                ));
            }
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (pair.get(..at), pair.get(at + 1..)),
                None => (Some(pair), None),
            };
            let value = decode(value.unwrap_or_default())?;
            let values = parameters.entry(decode(name.unwrap_or_default())?).or_default();
            if !value.is_empty() {
                values.push(value);
            }
        }
        Ok(Self(parameters))
    }

    /// The value of `name`, if it was sent. Two values are an error, even when they agree.
    pub(crate) fn optional(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        match self.all(name) {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(OAuthError::invalid_request(
                "parameter_repeated",
                format!("The parameter {name} was sent more than once. Send it once."),
            )),
        }
    }

    /// The value of `name`, if it was sent, which must be short enough to be kept or sent on.
    pub(crate) fn short(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        let value = self.optional(name)?;
        let is_short = value.is_none_or(|value| value.len() <= MAX_SHORT_LENGTH);
        if is_short { Ok(value) } else { Err(too_long(name)) }
    }

    /// The value of `name`, which must have been sent.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.optional(name)?.ok_or_else(|| {
            OAuthError::invalid_request(
                "parameter_missing",
                format!("The parameter {name} is missing."),
            )
        })
    }

    /// Gives `name` one value, whatever it had.
    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.into(), vec![value]);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Every value of `name`, in order.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

pub(crate) fn too_long(name: &'static str) -> OAuthError {
    OAuthError::invalid_request(
        "parameter_too_long",
        format!("The parameter {name} is longer than {MAX_SHORT_LENGTH} bytes."),
    )
}

fn decode(text: &[u8]) -> Result<String, OAuthError> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).decode_utf8().map(|text| text.into_owned()).map_err(|error| {
        OAuthError::invalid_request("not_utf8", "The request holds bytes that are not UTF-8.")
            .because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parameters {
        Parameters::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn plus_and_percent_are_decoded_once() {
        assert_eq!(parse("scope=a+b%20c%2Bd").required("scope").unwrap(), "a b c+d");
    }

    #[test]
    fn a_parameter_without_a_value_counts_as_left_out() {
        assert_eq!(parse("a=&b").optional("a").unwrap(), None);
        assert_eq!(parse("a=&b").optional("b").unwrap(), None);
        assert_eq!(parse("a").required("a").unwrap_err().reason, "parameter_missing");
    }

    #[test]
    fn a_doubled_parameter_is_refused_whatever_its_values() {
        for text in ["a=1&a=1", "a=1&a=2", "a=1&%61=2"] {
            assert_eq!(parse(text).optional("a").unwrap_err().reason, "parameter_repeated");
        }
        assert_eq!(parse("resource=1&resource=2").all("resource"), ["1", "2"]);
    }

    #[test]
    fn more_parameters_than_any_request_has_are_refused() {
        let many = |number: usize| vec!["a=1"; number].join("&");
        assert_eq!(parse(&many(MAX_PARAMETERS)).all("a").len(), MAX_PARAMETERS);
        let refused = Parameters::parse(many(MAX_PARAMETERS + 1).as_bytes()).unwrap_err();
        assert_eq!(refused.reason, "parameters_too_many");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        assert_eq!(Parameters::parse(b"state=%ff").unwrap_err().reason, "not_utf8");
        assert_eq!(Parameters::parse(b"\xff=1").unwrap_err().reason, "not_utf8");
    }
}
