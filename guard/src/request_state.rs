//! The state of a tool between the rounds of one call (`requestState`, MCP multi round-trip).
//!
//! The client stores it. It is signed, expires soon, and opens only for the same caller in the same
//! operation. It is not encrypted, so it must contain no secret. A client can send it more than
//! once, so a tool that must not act twice has to remember that itself.

use std::{fmt, time::Duration};

use aws_lc_rs::rand;
use rmcp::{
    ErrorData,
    model::{RequestStateCodec, SealOptions},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{GuardError, caller::Caller};

/// Time that a user may take to answer.
const LIFETIME: Duration = Duration::from_secs(600);

/// Signs and opens request states. Cheap to clone.
#[derive(Clone)]
pub struct RequestStates(RequestStateCodec);

impl RequestStates {
    /// Signs with a random key. Other replicas cannot open the states, nor can this one after a
    /// restart.
    ///
    /// # Errors
    /// [`GuardError::Randomness`].
    pub fn with_random_key() -> Result<Self, GuardError> {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|_| GuardError::Randomness)?;
        Self::with_key(&key)
    }

    /// Signs with a key of at least 32 bytes, which all replicas can share.
    ///
    /// # Errors
    /// [`GuardError::StateKey`] if the key is too short.
    pub fn with_key(key: &[u8]) -> Result<Self, GuardError> {
        RequestStateCodec::try_new(key).map(Self).map_err(|_| GuardError::StateKey)
    }

    /// Signs `state` for the next round of `operation` by the same caller.
    ///
    /// # Errors
    /// An internal error if `state` cannot be serialized.
    pub fn seal(
        &self,
        caller: &Caller,
        operation: &str,
        state: &impl Serialize,
    ) -> Result<String, ErrorData> {
        let bound_to = binding(caller, operation);
        let options = SealOptions::new().associated_data(&bound_to).ttl(LIFETIME);
        self.0
            .seal_json_with(state, &options)
            .map_err(|_| ErrorData::internal_error("the state of the call cannot be signed", None))
    }

    /// Opens a state that was signed for this caller and this operation in the last ten minutes.
    ///
    /// # Errors
    /// Invalid parameters if it was not.
    pub fn open<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        operation: &str,
        sealed: &str,
    ) -> Result<T, ErrorData> {
        self.0.open_json_with(sealed, &binding(caller, operation)).map_err(|_| {
            let reason = "requestState is too old, or was not issued by this server for this call";
            ErrorData::invalid_params(reason, None)
        })
    }
}

impl fmt::Debug for RequestStates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RequestStates(redacted)")
    }
}

/// The bytes of the owner include their lengths, so the operation cannot be taken for part of them.
fn binding(caller: &Caller, operation: &str) -> Vec<u8> {
    [caller.owner().to_bytes(), operation.as_bytes().to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::caller;

    #[test]
    fn a_state_opens_for_the_same_caller_in_the_same_operation_only() {
        let states = RequestStates::with_random_key().unwrap();
        let nick = caller("nick", "c", &[]);
        let sealed = states.seal(&nick, "tools/call greet", &7).unwrap();
        let open = |who: &Caller, operation: &str, sealed: &str| {
            states.open::<i32>(who, operation, sealed).ok()
        };
        assert_eq!(open(&nick, "tools/call greet", &sealed), Some(7));
        assert_eq!(open(&nick, "tools/call delete", &sealed), None);
        assert_eq!(open(&caller("eve", "c", &[]), "tools/call greet", &sealed), None);
        assert_eq!(open(&caller("nick", "d", &[]), "tools/call greet", &sealed), None);
        assert_eq!(open(&nick, "tools/call greet", &sealed.replace('.', "..")), None);
        let other = RequestStates::with_random_key().unwrap();
        assert!(other.open::<i32>(&nick, "tools/call greet", &sealed).is_err());
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(RequestStates::with_key(&[0; 31]).is_err());
        assert!(RequestStates::with_key(&[0; 32]).is_ok());
    }

    #[test]
    fn only_the_text_that_was_given_out_opens() {
        let states = RequestStates::with_random_key().unwrap();
        let nick = caller("nick", "c", &[]);
        let sealed = states.seal(&nick, "tools/call greet", &"state").unwrap();
        let opens = |text: &str| states.open::<String>(&nick, "tools/call greet", text).is_ok();
        assert!(opens(&sealed));
        for place in 0..sealed.len() {
            assert!(!opens(&sealed[..place]) && !opens(&sealed[place + 1..]), "cut at {place}");
            for byte in 0..=127 {
                let mut changed = sealed.clone().into_bytes();
                if changed[place] != byte {
                    changed[place] = byte;
                    assert!(!opens(&String::from_utf8(changed).unwrap()), "{byte} at {place}");
                }
            }
        }
        for added in ["A", "AA", "AAAA", "=", "==", ".", " ", "\n", "\0"] {
            assert!(!opens(&format!("{sealed}{added}")) && !opens(&format!("{added}{sealed}")));
        }
        assert!(!opens(&sealed.replacen("rs1", "rs2", 1)));
    }
}
