//! Access tokens as `auth` would sign them, with one claim changed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::stack::Stack;

/// A valid access token of the stack, with `change` on top of its claims; `null` removes one.
pub fn signed(stack: &Stack, change: &Value) -> String {
    signed_as(stack, keys::TokenType::AccessToken, change)
}

/// The same as another type of token.
pub fn signed_as(stack: &Stack, kind: keys::TokenType, change: &Value) -> String {
    let now = stack.state.clock.now();
    let mut claims = json!({"iss": stack.issuer, "sub": "nick", "aud": stack.audience,
        "client_id": "client", "scope": "mcp:tools profile email", "exp": now + 600, "iat": now,
        "jti": "1", "name": "Nick Lucas"});
    for (name, value) in change.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    let key = stack.state.keys.current(now).expect("a signing key");
    key.sign(kind, &claims).expect("a token")
}

/// The claims of a signed token, unverified.
pub fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    serde_json::from_slice(&claims).expect("claims")
}
