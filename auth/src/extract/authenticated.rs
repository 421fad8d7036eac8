//! A client that has proved itself, and its form as the message it is (RFC 6749 §2.3).

use std::borrow::Cow;

use axum::{
    RequestExt,
    extract::{FromRequest, Request},
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

use super::{dpop, form, visitor::Visitor};
use crate::{
    error_response::JsonError,
    issuers,
    limits::RateLimitKey,
    oauth::{
        AuthenticationMethod, Client, ErrorCode, GrantType, OAuthError, Parameters, Provenance,
        assertion::is_identity_assertion,
        client_assertion::{self, ASSERTION_TYPE, ClientAssertion},
        secret,
    },
    state::AppState,
};

/// A message that a client sends in a form.
pub(crate) trait FromParameters: Sized {
    /// Whether what the client gets is bound to the key of a DPoP proof, so that a proof that comes
    /// with the message counts (RFC 9449 §5).
    const BINDS_TO_KEY: bool = false;

    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError>;

    /// Refuses a message that this client must not send.
    fn check_client(&self, _: &Client) -> Result<(), OAuthError> {
        Ok(())
    }
}

/// What of a message says which access a client wants, and at which resource (RFC 8707 §2).
pub(crate) struct AccessRequest {
    pub(crate) scope: Option<String>,
    pub(crate) resources: Vec<String>,
}

impl FromParameters for AccessRequest {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        Ok(Self {
            scope: parameters.optional("scope")?.map(Into::into),
            resources: parameters.all("resource").to_vec(),
        })
    }
}

/// The message that names a token (RFC 7009 §2.1, RFC 7662 §2.1). Its hint is not needed: tokens tell
/// what they are.
pub(crate) struct PresentedToken(pub(crate) String);

impl FromParameters for PresentedToken {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        Ok(Self(parameters.required("token")?.into()))
    }
}

/// The client is who it says it is, and the form is a `T`. The client is judged first, because
/// many clients recover from a lost registration only by `invalid_client`.
pub(crate) struct Authenticated<T> {
    pub(crate) client: Client,
    pub(crate) request: T,
    /// Thumbprint of the key that the client has proved to hold, where the message binds to one.
    pub(crate) key_thumbprint: Option<String>,
    pub(crate) visitor: Visitor,
}

/// What a client presented of itself.
struct Credentials {
    id: String,
    proof: Proof,
}

enum Proof {
    None,
    Secret(AuthenticationMethod, String),
    Assertion(String),
    /// The assertion that is the grant too: a workload has no other credential (SEP-1933).
    Workload(String),
}

impl<T: FromParameters + Send> FromRequest<AppState> for Authenticated<T> {
    type Rejection = JsonError;

    async fn from_request(mut request: Request, state: &AppState) -> Result<Self, JsonError> {
        let Ok(visitor) = request.extract_parts_with_state::<Visitor, _>(state).await;
        let (parts, body) = request.into_parts();
        let parameters = form::read(&parts.headers, body).await?;
        let address = visitor.limited_address();
        let client = authenticate(state, &parts, &parameters, &visitor).await.map_err(|error| {
            state.limits.refusal(RateLimitKey::Address(&address), error, state.clock.now())
        })?;
        let request = T::from_parameters(&parameters)?;
        request.check_client(&client)?;
        // A proof counts once, so it is looked at when nothing else is wrong with the client.
        let key_thumbprint = if T::BINDS_TO_KEY {
            dpop::key_thumbprint(state, &parts, &client, &address).await?
        } else {
            None
        };
        Ok(Self { client, request, key_thumbprint, visitor })
    }
}

/// The client that the request names, once it has proved itself.
async fn authenticate(
    state: &AppState,
    request: &Parts,
    parameters: &Parameters,
    visitor: &Visitor,
) -> Result<Client, OAuthError> {
    let credentials = Credentials::read(state, &request.headers, parameters)?;
    let client = state.clients.find_for(&credentials.id, &visitor.network()).await?;
    credentials.prove(state, &client, request.uri.path(), visitor).await?;
    tracing::debug!(method = credentials.proof.method().as_str(), "client authenticated");
    Ok(client)
}

impl Credentials {
    /// Reads what was sent. `client_id` may be in the body in addition to the Basic header or the
    /// assertion, as some clients send it, as long as both agree.
    fn read(
        state: &AppState,
        headers: &HeaderMap,
        parameters: &Parameters,
    ) -> Result<Self, OAuthError> {
        let id = parameters.optional("client_id")?;
        let secret = parameters.optional("client_secret")?.map(str::to_owned);
        let (presented_id, proof) = match (basic(headers)?, secret, assertion(parameters)?) {
            (None, None, None) => (None, Proof::None),
            (None, Some(secret), None) => {
                (None, Proof::Secret(AuthenticationMethod::ClientSecretPost, secret))
            }
            (Some((id, secret)), None, None) => {
                (Some(id), Proof::Secret(AuthenticationMethod::ClientSecretBasic, secret))
            }
            (None, None, Some(assertion)) => {
                let id = ClientAssertion::unverified_client_id(&assertion)?;
                (Some(id), Proof::Assertion(assertion))
            }
            _ => {
                return Err(OAuthError::invalid_request(
                    "client_authentication_twice",
                    "Authenticate in one way: by the Authorization header, by client_secret, or \
                     by client_assertion.",
                ));
            }
        };
        match (id, presented_id) {
            (Some(id), Some(presented)) if id != presented => Err(refused(
                "client_id_differs",
                "The client_id of the body is not that of the client's credentials.",
            )),
            (_, Some(id)) => Ok(Self { id, proof }),
            (Some(id), None) => Ok(Self { id: id.into(), proof }),
            (None, None) => workload(state, parameters)?
                .ok_or_else(|| refused("client_missing", "No client_id was sent.")),
        }
    }

    async fn prove(
        &self,
        state: &AppState,
        client: &Client,
        path: &str,
        visitor: &Visitor,
    ) -> Result<(), OAuthError> {
        if let Proof::Workload(assertion) = &self.proof {
            return issuers::verify(state, client, assertion).await.map(|_| ());
        }
        let method = self.proof.method();
        // A public client that has keys may prove more than it must.
        let proves_more = client.is_public()
            && method == AuthenticationMethod::PrivateKeyJwt
            && client.metadata.has_keys();
        let expected = client.metadata.token_endpoint_auth_method;
        if method != expected && !proves_more {
            return Err(wrong_method(expected));
        }
        match &self.proof {
            Proof::None | Proof::Workload(_) => Ok(()),
            Proof::Secret(_, secret) => {
                let now = state.clock.now();
                let address = visitor.limited_address();
                let check = || check_secret(client, secret);
                state.limits.compare_secret(&client.id, &address, now, check)
            }
            Proof::Assertion(assertion) => {
                check_assertion(state, client, assertion, path, visitor).await
            }
        }
    }
}

impl Proof {
    fn method(&self) -> AuthenticationMethod {
        match self {
            Self::None | Self::Workload(_) => AuthenticationMethod::None,
            Self::Secret(method, _) => *method,
            Self::Assertion(_) => AuthenticationMethod::PrivateKeyJwt,
        }
    }
}

/// A workload that sends its assertion and nothing else of itself.
fn workload(state: &AppState, parameters: &Parameters) -> Result<Option<Credentials>, OAuthError> {
    let is_grant = parameters.optional("grant_type")? == Some(GrantType::JwtBearer.as_str());
    match parameters.optional("assertion")? {
        Some(assertion) if is_grant && !is_identity_assertion(assertion) => {
            let id = issuers::unverified_workload(state, assertion)?;
            Ok(Some(Credentials { id, proof: Proof::Workload(assertion.into()) }))
        }
        _ => Ok(None),
    }
}

fn check_secret(client: &Client, secret: &str) -> Result<(), OAuthError> {
    if secret::has_one_of(secret, &client.secret_hashes) {
        Ok(())
    } else {
        Err(refused("client_secret_wrong", "The client secret is wrong. Send the one it has now."))
    }
}

fn wrong_method(registered: AuthenticationMethod) -> OAuthError {
    let reason = "client_authentication_method";
    if registered == AuthenticationMethod::None {
        let description = "This client is public (token_endpoint_auth_method none). Send client_id \
                           and no credentials.";
        return refused(reason, description);
    }
    let method = registered.as_str();
    refused(reason, format!("This client is registered for {method}. Authenticate by that method."))
}

/// Names by which an assertion may mean this server: its issuer identifier. An operator who entered
/// a client knows where it sends assertions, so those may name the token endpoint (RFC 7523 §3) or
/// the endpoint that is called (RFC 9126 §2). Any other client speaks to servers that we do not
/// know, and one of those could announce our token endpoint as its own, and pass on to us what it
/// is sent (draft-ietf-oauth-rfc7523bis).
fn audiences(issuer: &str, client: &Client, path: &str) -> Vec<String> {
    let mut audiences = vec![issuer.to_owned()];
    if client.provenance == Provenance::PreRegistered {
        audiences.extend([format!("{issuer}/token"), format!("{issuer}{path}")]);
    }
    audiences
}

/// The assertion must be signed by the client, be meant for this server, and come for the first
/// time.
async fn check_assertion(
    state: &AppState,
    client: &Client,
    assertion: &str,
    path: &str,
    visitor: &Visitor,
) -> Result<(), OAuthError> {
    let keys = state.clients.public_keys(client, assertion, &visitor.network()).await?;
    let audiences = audiences(&state.config.issuer, client, path);
    let now = state.clock.now();
    let claims = ClientAssertion::verify(assertion, &keys, &client.id, &audiences, now)?;
    state.limits.check_proof(client, &visitor.limited_address(), now)?;
    let identifier = format!("{} {}", client.id, claims.jti);
    let until = claims.remembered_until();
    state.spend("client_assertion", &identifier, until, client_assertion::replayed).await
}

/// Reads `client_assertion` and its type, which must come together (RFC 7521 §4.2).
fn assertion(parameters: &Parameters) -> Result<Option<String>, OAuthError> {
    let kind = parameters.optional("client_assertion_type")?;
    match (parameters.optional("client_assertion")?, kind) {
        (None, None) => Ok(None),
        (Some(assertion), Some(ASSERTION_TYPE)) => Ok(Some(assertion.into())),
        (Some(_), Some(_)) => Err(refused(
            "client_assertion_type",
            "The client_assertion_type must be \
             urn:ietf:params:oauth:client-assertion-type:jwt-bearer.",
        )),
        _ => Err(OAuthError::invalid_request(
            "client_assertion_incomplete",
            "Send client_assertion and client_assertion_type together.",
        )),
    }
}

/// Reads `Authorization: Basic`. Both parts are form-decoded (RFC 6749 §2.3.1); a client that
/// forgot to encode sends the same bytes, because our secrets hold neither `%` nor `+`.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let malformed = |description| refused("basic_malformed", description);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return Err(malformed("Send the Authorization header once.")),
    };
    let encoded = match value.split_once(' ') {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => encoded,
        _ => return Err(malformed("The Authorization header must have the scheme Basic.")),
    };
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|it| String::from_utf8(it).ok());
    let pair = decoded.as_deref().and_then(|text| {
        let (id, secret) = text.split_once(':')?;
        Some((form_decoded(id)?, form_decoded(secret)?))
    });
    pair.map(Some).ok_or_else(|| {
        malformed(
            "The credentials of the Authorization header must be the base64 of client_id, a colon \
             and client_secret, both form-encoded.",
        )
    })
}

fn form_decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

fn refused(reason: &'static str, description: impl Into<Cow<'static, str>>) -> OAuthError {
    ErrorCode::InvalidClient.error(reason, description)
}
