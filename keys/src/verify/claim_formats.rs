//! Lenient readers for claims as issuers write them.

use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};
use serde_json::{Number, Value};

/// Times beyond this, in seconds, are not exact as a float.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a `NumericDate`: seconds since 1970 (RFC 7519 §2). Drops the fraction that some issuers
/// write.
///
/// # Errors
/// The value is not a number, or out of range.
pub fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    whole_seconds(&Number::deserialize(deserializer)?)
}

/// Like [`numeric_date`], for a claim that may be missing. A malformed time is an error and not
/// missing, because `nbf` must not be ignored.
///
/// # Errors
/// The value is neither null nor a number in range.
pub fn optional_numeric_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Option::<Number>::deserialize(deserializer)?.as_ref().map(whole_seconds).transpose()
}

/// Reads a claim that decides nothing. If it has the wrong type, it is missing.
///
/// # Errors
/// The value is not JSON.
pub fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

fn whole_seconds<E: Error>(number: &Number) -> Result<i64, E> {
    if let Some(seconds) = number.as_i64() {
        return Ok(seconds);
    }
    let seconds = number.as_f64().map(f64::floor).filter(|seconds| seconds.abs() < MAX_EXACT);
    seconds.map(|seconds| seconds as i64).ok_or_else(|| E::custom("a time is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Claims {
        #[serde(deserialize_with = "numeric_date")]
        exp: i64,
        #[serde(default, deserialize_with = "optional_numeric_date")]
        nbf: Option<i64>,
        #[serde(default, deserialize_with = "lenient")]
        name: Option<String>,
    }

    fn read(json: &str) -> Option<Claims> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn a_time_may_have_a_fraction_and_is_a_number() {
        for (text, time) in [("7", 7), ("7.0", 7), ("7.999", 7), ("7e3", 7000), ("-0.5", -1)] {
            let claims = read(&format!(r#"{{"exp":{text},"nbf":{text}}}"#)).unwrap();
            assert_eq!((claims.exp, claims.nbf), (time, Some(time)), "{text}");
        }
        for text in ["\"7\"", "null", "[7]", "true", "1e300", "-1e300", "18446744073709551615"] {
            assert_eq!(read(&format!(r#"{{"exp":{text}}}"#)), None, "{text}");
        }
        assert_eq!(read(r#"{"exp":7,"nbf":null}"#).unwrap().nbf, None);
        for text in ["\"7\"", "{}", "1e300"] {
            assert_eq!(read(&format!(r#"{{"exp":7,"nbf":{text}}}"#)), None, "{text}");
        }
    }

    #[test]
    fn a_claim_that_decides_nothing_is_missing_where_it_has_another_type() {
        for (text, name) in [("\"a\"", Some("a")), ("7", None), ("null", None), ("[]", None)] {
            let claims = read(&format!(r#"{{"exp":7,"name":{text}}}"#)).unwrap();
            assert_eq!(claims.name.as_deref(), name, "{text}");
        }
    }
}
