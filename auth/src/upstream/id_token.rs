//! What an OpenID provider's ID token must say to be believed (OpenID Connect Core §3.1.3.7).

use keys::{Algorithm, Audience, numeric_date, optional_numeric_date};
use serde::Deserialize;

use super::Answer;
use crate::config::OpenIdSetting;

/// Seconds that clocks may differ.
const LEEWAY: i64 = 60;

/// The claims of an ID token whose signature has been verified.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    #[serde(deserialize_with = "numeric_date")]
    exp: i64,
    #[serde(deserialize_with = "numeric_date")]
    iat: i64,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<i64>,
    nonce: Option<String>,
    at_hash: Option<String>,
    #[serde(flatten)]
    _profile: ProfileClaims,
}

/// Claims of the person, in an ID token or at userinfo (OpenID Connect Core §5.1).
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ProfileClaims {
    pub(super) name: Option<String>,
    pub(super) preferred_username: Option<String>,
    pub(super) picture: Option<String>,
    pub(super) email: Option<String>,
    /// Some providers write it as text.
    #[serde(default)]
    pub(super) email_verified: serde_json::Value,
}

impl ProfileClaims {
    /// The address, where the provider says that it has verified it.
    pub(super) fn verified_email(&self) -> Option<String> {
        let verified = self.email_verified == true || self.email_verified == "true";
        self.email.clone().filter(|_| verified)
    }
}

impl Claims {
    /// Refuses a token that is not from this provider, for us, for this sign-in and of now. It was
    /// signed by `algorithm`, and came with `access_token`.
    pub(super) fn judge(
        &self,
        provider: &OpenIdSetting,
        answer: &Answer<'_>,
        access_token: &str,
        algorithm: Algorithm,
    ) -> Result<(), &'static str> {
        self.judge_party(provider, answer.now)?;
        if self.nonce.as_deref() != Some(answer.nonce) {
            return Err("the ID token is of another sign-in: its nonce differs");
        }
        match self.at_hash.as_deref() {
            Some(at_hash) if at_hash != algorithm.at_hash(access_token) => {
                Err("the access token is not the one that the ID token came with")
            }
            _ => Ok(()),
        }
    }

    /// Refuses a token that is not from this provider, for us and of now.
    pub(super) fn judge_party(
        &self,
        provider: &OpenIdSetting,
        now: i64,
    ) -> Result<(), &'static str> {
        if self.iss != provider.issuer {
            return Err("the ID token is of another issuer");
        }
        if !self.aud.contains(&provider.client_id) {
            return Err("the ID token is for another client");
        }
        let several = matches!(&self.aud, Audience::Many(many) if many.len() > 1);
        match self.azp.as_deref() {
            Some(azp) if azp != provider.client_id => {
                return Err("the ID token was issued to another client");
            }
            None if several => return Err("the ID token is for several, and names no azp"),
            _ => {}
        }
        if self.exp.saturating_add(LEEWAY) <= now {
            return Err("the ID token has expired");
        }
        if self.nbf.unwrap_or(self.iat).max(self.iat) > now.saturating_add(LEEWAY) {
            return Err("the ID token is not valid yet");
        }
        if self.sub.is_empty() {
            return Err("the ID token names no person");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: i64 = 1_000_000;

    fn judged(member: &str, value: Value) -> Result<(), &'static str> {
        let mut claims = json!({
            "iss": "https://id.example", "sub": "7", "aud": "us", "exp": NOW + 300, "iat": NOW,
            "nonce": "n", "at_hash": Algorithm::ES256.at_hash("token"),
        });
        claims[member] = value;
        let issuer = "https://id.example";
        let provider = OpenIdSetting {
            name: "id".into(),
            label: "Id".into(),
            issuer: issuer.into(),
            issuer_url: issuer.parse().unwrap(),
            client_id: "us".into(),
            client_secret: "s".into(),
            scope: "openid".into(),
        };
        let answer = Answer { code: "c", iss: None, code_verifier: "v", nonce: "n", now: NOW };
        let claims = serde_json::from_value::<Claims>(claims).map_err(|_| "unreadable")?;
        claims.judge(&provider, &answer, "token", Algorithm::ES256)
    }

    #[test]
    fn each_claim_is_compared() {
        assert_eq!(judged("sub", json!("7")), Ok(()));
        for (member, value) in [
            ("iss", json!("https://id.example/")),
            ("aud", json!("others")),
            ("aud", json!(["us", "others"])),
            ("azp", json!("others")),
            ("exp", json!(NOW - 60)),
            ("iat", json!(NOW + 61)),
            ("nbf", json!(NOW + 61)),
            ("nonce", json!("of another sign-in")),
            ("nonce", Value::Null),
            ("at_hash", json!("of another token")),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("exp", json!("soon")),
        ] {
            assert!(judged(member, value.clone()).is_err(), "{member} {value}");
        }
        assert_eq!(judged("aud", json!(["us"])), Ok(()));
    }

    #[test]
    fn only_an_address_that_was_verified_is_one() {
        let email = |verified: Value| {
            let claims = json!({"email": "a@example.com", "email_verified": verified});
            serde_json::from_value::<ProfileClaims>(claims).unwrap().verified_email()
        };
        assert!(email(json!(true)).is_some() && email(json!("true")).is_some());
        for other in [json!(false), json!("false"), json!(1), Value::Null, json!("yes")] {
            assert_eq!(email(other), None);
        }
    }
}
