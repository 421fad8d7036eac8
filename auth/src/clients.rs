//! From a `client_id` to the client it names.

mod freshness;
mod guarded_fetch;
mod metadata_document;
pub mod registration;
mod remote;
mod well_known;

use std::sync::Arc;

use keys::{PublishedKeys, SealError};

use guarded_fetch::{FetchError, GuardedFetch};
use registration::Registration;
use remote::{Remote, RemoteError};
use url::Url;

use crate::{
    clock::Clock,
    oauth::{
        client::{
            ApplicationType, AuthenticationMethod, Client, ClientKeys, GrantType, Provenance,
        },
        client_id_url,
        error::{ErrorCode, OAuthError},
        redirect_uri::RedirectUri,
        resource::TokenFormat,
        secret,
    },
    state::AppState,
    storage::{StorageError, clients, registrations},
    story,
};

/// Largest set of keys at a `jwks_uri`, in bytes.
const LARGEST_KEY_SET: usize = 32 * 1024;
/// Seconds between two fetches of keys because none fits.
const KEYS_COOL_DOWN: i64 = 60;

/// Finds the client: an open registration carries itself, a URL leads to a document, any other is
/// a row an operator entered. Unknown is `invalid_client`; a database that does not answer is not.
pub async fn find(state: &AppState, id: &str) -> Result<Client, OAuthError> {
    let client = look_up(state, id).await?;
    tracing::debug!(
        client_id = story::shown_client_id(id),
        name = client.name,
        provenance = ?client.provenance,
        "client found"
    );
    Ok(client)
}

async fn look_up(state: &AppState, id: &str) -> Result<Client, OAuthError> {
    if registration::is_registered_id(id) {
        let found = find_registration(state, id).await?;
        return found.map(|found| found.client(&state.seals, id)).ok_or_else(unknown);
    }
    if client_id_url::is_url(id) {
        return state.remote_clients.find(id).await;
    }
    match clients::find(state.db.connection(), id).await {
        Ok(Some(row)) => Ok(pre_registered(row, state.clock.now())),
        Ok(None) => Err(unknown()),
        Err(error) => Err(outage(error)),
    }
}

/// What an open registration is now: what the `client_id` carries, unless it was changed or
/// deleted since (RFC 7592).
pub async fn find_registration(
    state: &AppState,
    id: &str,
) -> Result<Option<Registration>, OAuthError> {
    let first = Registration::open(&state.seals, id).map_err(|error| unknown().because(error))?;
    let row = registrations::find(state.db.connection(), secret::hash(id)).await.map_err(outage)?;
    match row.map(|row| row.registration) {
        None => Ok(Some(first)),
        Some(None) => Ok(None),
        Some(Some(text)) => match serde_json::from_str(&text) {
            Ok(registration) => Ok(Some(registration)),
            Err(error) => Err(OAuthError::server_error("registration_unreadable", error)),
        },
    }
}

/// What is at addresses that clients name: metadata documents and keys.
#[derive(Clone, Debug)]
pub struct RemoteClients {
    documents: Remote<Client>,
    keys: Remote<PublishedKeys>,
    allows_loopback: bool,
    clock: Clock,
}

impl RemoteClients {
    /// `allows_loopback` lets development and tests fetch from this machine.
    pub fn new(allows_loopback: bool, clock: Clock) -> Result<Self, reqwest::Error> {
        let fetch = GuardedFetch::new(allows_loopback)?;
        let of_documents = fetch.clone();
        Ok(Self {
            documents: Remote::new(
                of_documents,
                clock.clone(),
                metadata_document::LARGEST,
                metadata_document::read,
            ),
            keys: Remote::new(fetch, clock.clone(), LARGEST_KEY_SET, read_keys),
            allows_loopback,
            clock,
        })
    }

    async fn find(&self, id: &str) -> Result<Client, OAuthError> {
        let url = client_id_url::parse(id, self.allows_loopback)?;
        match self.documents.get(&url).await {
            Ok(client) => Ok(Client::clone(&client)),
            Err(error) => {
                let copy = if error.is_outage() { well_known::find(id) } else { None };
                copy.ok_or_else(|| refusal(error, &DOCUMENT))
            }
        }
    }

    /// The keys at `uri`. If none fits the assertion, they are fetched anew, unless that was done
    /// a moment ago.
    async fn keys(
        &self,
        uri: &Url,
        assertion: &str,
        purpose: &Purpose,
    ) -> Result<Arc<PublishedKeys>, OAuthError> {
        let refused = |error| refusal(error, purpose);
        let keys = self.keys.get(uri).await.map_err(refused)?;
        if keys.may_verify(assertion).unwrap_or(true) {
            return Ok(keys);
        }
        self.keys.newer_than(uri, self.clock.now() - KEYS_COOL_DOWN).await.map_err(refused)
    }
}

/// The public keys that the client registered.
pub async fn public_keys(
    state: &AppState,
    client: &Client,
    assertion: &str,
) -> Result<Arc<PublishedKeys>, OAuthError> {
    let unusable = || {
        OAuthError::new(
            ErrorCode::InvalidClient,
            "client_keys_unusable",
            "The client has registered no usable public key.",
        )
    };
    match &client.keys {
        ClientKeys::Jwks(text) => PublishedKeys::from_json(text.as_bytes())
            .map(Arc::new)
            .map_err(|error| unusable().because(error)),
        ClientKeys::JwksUri(uri) => state.remote_clients.keys(uri, assertion, &KEYS).await,
        ClientKeys::None => Err(unusable()),
    }
}

/// The keys of a trusted issuer, at the address that an operator gave.
pub async fn issuer_keys(
    state: &AppState,
    uri: &Url,
    assertion: &str,
) -> Result<Arc<PublishedKeys>, OAuthError> {
    let keys = state.remote_clients.keys(uri, assertion, &ISSUER_KEYS).await;
    // The client that presents the assertion is not to blame for them.
    keys.map_err(|error| match error.code {
        ErrorCode::InvalidClient => OAuthError { code: ErrorCode::InvalidGrant, ..error },
        _ => error,
    })
}

fn read_keys(_: &str, body: &[u8]) -> Result<PublishedKeys, RemoteError> {
    PublishedKeys::from_json(body)
        .map_err(|error| RemoteError::Unusable("client_keys_malformed", error.to_string()))
}

/// What a fetch was for, in the words of its refusals.
struct Purpose {
    what: &'static str,
    out_of_reach: &'static str,
    not_allowed: &'static str,
    not_usable: &'static str,
}

const DOCUMENT: Purpose = Purpose {
    what: "The client's metadata document",
    out_of_reach: "metadata_document_unreachable",
    not_allowed: "metadata_document_address",
    not_usable: "metadata_document_answer",
};

const ISSUER_KEYS: Purpose = Purpose {
    what: "The jwks_uri of the assertion's issuer",
    out_of_reach: "issuer_keys_unreachable",
    not_allowed: "issuer_keys_address",
    not_usable: "issuer_keys_answer",
};

const KEYS: Purpose = Purpose {
    what: "The client's jwks_uri",
    out_of_reach: "client_keys_unreachable",
    not_allowed: "client_keys_address",
    not_usable: "client_keys_answer",
};

/// What the client is told of a fetch that failed: enough to mend its document, and nothing of
/// what this server can see of other networks. The log has the rest.
fn refusal(error: RemoteError, purpose: &Purpose) -> OAuthError {
    let what = purpose.what;
    let client = |reason, description: String| {
        OAuthError::new(ErrorCode::InvalidClient, reason, description)
    };
    match &error {
        RemoteError::Unusable(reason, why) => {
            client(reason, format!("{what} is not usable: {why}."))
        }
        RemoteError::Fetch(cause) => match cause.as_ref() {
            FetchError::NotPublic(_) => client(
                purpose.not_allowed,
                format!("{what} must be at an https address of the public Internet."),
            ),
            FetchError::Unusable(why) => {
                client(purpose.not_usable, format!("{what} cannot be used: {why}."))
            }
            FetchError::Unreachable(_) | FetchError::TooMany(_) => OAuthError::new(
                ErrorCode::TemporarilyUnavailable,
                purpose.out_of_reach,
                format!("{what} could not be fetched just now. Try again in a moment."),
            ),
        },
    }
    .because(error)
}

/// Whether the client of this identifier registered itself, so that nobody vouches for it.
pub fn registered_itself(id: &str) -> bool {
    registration::is_registered_id(id)
}

/// The client's record could not be looked up. It may exist, so this must not read as unknown.
fn outage(error: StorageError) -> OAuthError {
    OAuthError::new(
        ErrorCode::TemporarilyUnavailable,
        "client_lookup_failed",
        "The client could not be looked up just now. Try again.",
    )
    .because(error)
}

fn unknown() -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidClient,
        "client_unknown",
        "This server does not know the client. Register it again.",
    )
}

/// A row as a client. A row holds what `auth clients add` accepted, so a part that does not read
/// is left out rather than made up.
fn pre_registered(row: clients::Model, now: i64) -> Client {
    let url = |text: Option<String>| text.and_then(|text| Url::parse(&text).ok());
    let keys = match (row.jwks.clone(), url(row.jwks_uri.clone())) {
        (Some(jwks), _) => ClientKeys::Jwks(jwks),
        (None, Some(uri)) => ClientKeys::JwksUri(uri),
        (None, None) => ClientKeys::None,
    };
    Client {
        redirect_uris: words(&row.redirect_uris)
            .filter_map(|uri| RedirectUri::parse(uri).ok())
            .collect(),
        grant_types: words(&row.grant_types).filter_map(GrantType::parse).collect(),
        authentication: AuthenticationMethod::parse(&row.token_endpoint_auth_method)
            .unwrap_or(AuthenticationMethod::ClientSecretBasic),
        secret_hashes: row.live_secret_hashes(now),
        keys,
        scope: row.scope.as_deref().map(|scope| words(scope).collect()),
        resource: row.resource,
        application_type: ApplicationType::parse(&row.application_type).unwrap_or_default(),
        post_logout_redirect_uris: words(&row.post_logout_redirect_uris)
            .map(str::to_owned)
            .collect(),
        backchannel_logout_uri: url(row.backchannel_logout_uri),
        backchannel_logout_session_required: row.backchannel_logout_session_required,
        require_pushed_authorization_requests: row.require_pushed_authorization_requests,
        dpop_bound_access_tokens: row.dpop_bound_access_tokens,
        access_token_format: row.access_token_format.as_deref().and_then(TokenFormat::parse),
        id_token_signed_response_alg: row.id_token_signed_response_alg,
        userinfo_signed_response_alg: row.userinfo_signed_response_alg,
        client_uri: url(row.client_uri),
        logo_uri: url(row.logo_uri),
        policy_uri: url(row.policy_uri),
        tos_uri: url(row.tos_uri),
        name: row.name,
        provenance: Provenance::PreRegistered,
        id: row.id,
    }
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(' ').filter(|word| !word.is_empty())
}

impl From<SealError> for OAuthError {
    fn from(error: SealError) -> Self {
        Self::server_error("seal_failed", error)
    }
}
