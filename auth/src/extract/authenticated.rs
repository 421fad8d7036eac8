//! A client that has proved itself, and its form as the message it is (RFC 6749 §2.3).

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, header::AUTHORIZATION},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

use super::form;
use crate::{
    clients,
    error_response::TokenError,
    oauth::{
        client::{AuthenticationMethod, Client},
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
        secret,
    },
    state::AppState,
};

/// A message that a client sends in a form.
pub trait FromParameters: Sized {
    /// Reads the message.
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError>;
}

/// The client is who it says it is, and the form is a `T`. The client is judged first, because
/// many clients recover from a lost registration only by `invalid_client`.
#[derive(Debug)]
pub struct Authenticated<T> {
    /// The client.
    pub client: Client,
    /// The message.
    pub request: T,
}

/// What a client presented of itself.
struct Credentials {
    id: String,
    secret: Option<String>,
    method: AuthenticationMethod,
}

impl<T: FromParameters> FromRequest<AppState> for Authenticated<T> {
    type Rejection = TokenError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, TokenError> {
        let (headers, parameters) = form::read(request).await?;
        let credentials = Credentials::read(&headers, &parameters)?;
        let client = clients::find(state, &credentials.id).await?;
        credentials.prove(&client)?;
        Ok(Self { request: T::from_parameters(&parameters)?, client })
    }
}

impl Credentials {
    /// Reads what was sent. `client_id` may stand in the body beside the Basic header, as some
    /// clients send it, as long as both agree.
    fn read(headers: &HeaderMap, parameters: &Parameters) -> Result<Self, OAuthError> {
        let id = parameters.optional("client_id")?;
        let secret = parameters.optional("client_secret")?.map(str::to_owned);
        let Some((basic_id, basic_secret)) = basic(headers)? else {
            let id = id.ok_or_else(|| refused("client_missing", "No client_id was sent."))?.into();
            let method = match secret {
                Some(_) => AuthenticationMethod::ClientSecretPost,
                None => AuthenticationMethod::None,
            };
            return Ok(Self { id, secret, method });
        };
        if secret.is_some() {
            return Err(OAuthError::invalid_request(
                "client_authentication_twice",
                "Send the client secret in one place: the Authorization header or the body.",
            ));
        }
        if id.is_some_and(|id| id != basic_id) {
            return Err(refused(
                "client_id_differs",
                "The client_id of the body is not that of the Authorization header.",
            ));
        }
        let method = AuthenticationMethod::ClientSecretBasic;
        Ok(Self { id: basic_id, secret: Some(basic_secret), method })
    }

    fn prove(&self, client: &Client) -> Result<(), OAuthError> {
        if self.method != client.authentication {
            return Err(refused(
                "client_authentication_method",
                format!("This client authenticates by {}.", client.authentication.as_str()),
            ));
        }
        let Some(secret) = &self.secret else {
            return Ok(());
        };
        let presented = secret::hash(secret);
        match client.secret_hashes.iter().any(|hash| secret::same_hash(hash, &presented)) {
            true => Ok(()),
            false => Err(refused("client_secret_wrong", "The client secret is wrong.")),
        }
    }
}

/// Reads `Authorization: Basic`. Both parts are form-decoded (RFC 6749 §2.3.1); a client that
/// forgot to encode sends the same bytes unless it has a `%` or `+` in its secret, which ours
/// never have.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let malformed = || refused("basic_malformed", "The Authorization header is not usable.");
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().map_err(|_| malformed())?,
        (Some(_), Some(_)) => return Err(malformed()),
    };
    let (scheme, encoded) = value.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
    let decode = |part: &str| {
        percent_decode_str(part)
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| malformed())
    };
    Ok(Some((decode(id)?, decode(secret)?)))
}

fn refused(
    reason: &'static str,
    description: impl Into<std::borrow::Cow<'static, str>>,
) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, reason, description)
}
