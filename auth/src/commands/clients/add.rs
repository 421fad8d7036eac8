//! `auth clients add`: enters a client, by the rules that all clients follow.

use std::{fs, io::Write, path::PathBuf};

use clap::Args;
use keys::PublishedKeys;
use net::clock::Clock;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::show;
use crate::{
    clients::registration,
    commands::{CommandError, Format},
    config::DatabaseSetting,
    oauth::{
        AuthenticationMethod, ClientMetadata, GrantType, RedirectUri, ScopeSet, Secret, SecretKind,
        client::{ApplicationType, OperatorSettings, check_name},
        resource::TokenFormat,
    },
    storage::clients::{self, Metadata},
};

/// The options of `auth clients add`. Repeat an option to give a list.
#[derive(Clone, Debug, Args)]
pub struct Add {
    /// Name that users see.
    #[arg(long)]
    name: String,
    /// client_id; a random one if left out.
    #[arg(long)]
    id: Option<String>,
    /// Redirect URI: https, http on loopback, or a private-use scheme.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Grant that the client may use; authorization_code and refresh_token if left out and there is a
    /// redirect URI.
    #[arg(long = "grant-type", value_name = "GRANT")]
    grant_types: Vec<String>,
    /// How the client authenticates.
    #[arg(long = "auth-method", value_name = "METHOD", default_value = "client_secret_basic")]
    authentication: String,
    /// File with the public keys of the client, a JWK Set.
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks_file: Option<PathBuf>,
    /// Address of the public keys of the client.
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<Url>,
    /// The most scopes that the client may have, separated by spaces; no limit if left out.
    #[arg(long)]
    scope: Option<String>,
    /// Resource that the client is: a resource server that may introspect tokens for it.
    #[arg(long, value_name = "IDENTIFIER")]
    resource: Option<String>,
    /// Where the client runs: native or web.
    #[arg(long, value_name = "TYPE", default_value = "web")]
    application_type: String,
    /// Format of its access tokens, jwt or opaque; that of the resource if left out.
    #[arg(long, value_name = "FORMAT")]
    access_token_format: Option<String>,
    /// Require pushed authorization requests (RFC 9126).
    #[arg(long)]
    require_pushed_authorization_requests: bool,
    /// Require tokens that are bound to a key (RFC 9449).
    #[arg(long)]
    dpop_bound_access_tokens: bool,
    /// Where users may be sent after they signed out.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// Where to report the end of a session.
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<Url>,
    #[command(flatten)]
    database: DatabaseSetting,
    #[command(flatten)]
    format: Format,
}

impl Add {
    pub(super) async fn run(
        self,
        clock: Clock,
        stdout: &mut impl Write,
    ) -> Result<(), CommandError> {
        let id = self.client_id()?;
        let metadata = self.metadata()?;
        let secret = if metadata.token_endpoint_auth_method.has_secret() {
            Some(Secret::generate(SecretKind::ClientSecret)?)
        } else {
            None
        };
        let client = clients::Model {
            id,
            metadata: Metadata(metadata),
            secret_hash: secret.as_ref().map(Secret::hash),
            previous_secret_hash: None,
            previous_secret_expires_at: None,
            created_at: clock.now(),
        };
        let db = self.database.open().await?;
        if clients::find(db.connection(), &client.id).await?.is_some() {
            return Err(refused(format!("there is a client {} already", client.id)));
        }
        clients::add(db.connection(), client.clone()).await?;
        Ok(show::write(stdout, show::members(&client, secret.as_ref())?, self.format)?)
    }

    fn metadata(&self) -> Result<ClientMetadata, CommandError> {
        let metadata = ClientMetadata {
            client_name: check_name(Some(&self.name))?,
            redirect_uris: redirect_uris("--redirect-uri", &self.redirect_uris)?,
            grant_types: self.grant_types()?,
            token_endpoint_auth_method: self.authentication_method()?,
            application_type: self.application_type()?,
            jwks: self.jwks()?,
            jwks_uri: self.jwks_uri.clone(),
            post_logout_redirect_uris: redirect_uris(
                "--post-logout-redirect-uri",
                &self.post_logout_redirect_uris,
            )?,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            operator: self.operator_settings()?,
            ..ClientMetadata::default()
        };
        check_use(&metadata)?;
        Ok(metadata)
    }

    fn operator_settings(&self) -> Result<OperatorSettings, CommandError> {
        Ok(OperatorSettings {
            scope: self.scope.as_deref().map(ScopeSet::parse).transpose()?,
            resource: self.resource.clone(),
            access_token_format: self.access_token_format()?,
            backchannel_logout_uri: self.backchannel_logout_uri.clone(),
            backchannel_logout_session_required: false,
        })
    }

    /// An id that travels in headers and lists without quoting, and that cannot be mistaken for
    /// an open registration or a metadata document.
    fn client_id(&self) -> Result<String, CommandError> {
        let Some(id) = &self.id else {
            return Ok(Uuid::new_v4().to_string());
        };
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if id.is_empty() || id.len() > 100 || !id.bytes().all(is_plain) {
            return Err(refused("--id may hold letters, digits, and - . _ ~, at most 100 of them"));
        }
        if registration::is_registered_id(id) {
            return Err(refused("--id must not start with dyn_: open registrations do"));
        }
        Ok(id.clone())
    }

    fn grant_types(&self) -> Result<Vec<GrantType>, CommandError> {
        if self.grant_types.is_empty() && !self.redirect_uris.is_empty() {
            return Ok(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]);
        }
        let parsed = self.grant_types.iter().map(|name| {
            GrantType::parse(name).ok_or_else(|| {
                let known = GrantType::ALL.map(GrantType::as_str).join(", ");
                refused(format!("--grant-type {name} is not served; use one of {known}"))
            })
        });
        parsed.collect()
    }

    fn authentication_method(&self) -> Result<AuthenticationMethod, CommandError> {
        AuthenticationMethod::parse(&self.authentication).ok_or_else(|| {
            let known = AuthenticationMethod::ALL.map(AuthenticationMethod::as_str).join(", ");
            refused(format!("--auth-method must be one of {known}"))
        })
    }

    fn application_type(&self) -> Result<ApplicationType, CommandError> {
        ApplicationType::parse(&self.application_type)
            .ok_or_else(|| refused("--application-type must be native or web"))
    }

    fn access_token_format(&self) -> Result<Option<TokenFormat>, CommandError> {
        let Some(name) = &self.access_token_format else {
            return Ok(None);
        };
        let format = TokenFormat::parse(name);
        format.map(Some).ok_or_else(|| refused("--access-token-format must be jwt or opaque"))
    }

    fn jwks(&self) -> Result<Option<Value>, CommandError> {
        let Some(file) = &self.jwks_file else {
            return Ok(None);
        };
        let shown = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| refused(format!("--jwks-file {shown} cannot be read: {error}")))?;
        let keys = PublishedKeys::from_json(text.as_bytes())
            .map_err(|error| refused(format!("--jwks-file {shown}: {error}")))?;
        if keys.is_empty() {
            return Err(refused(format!(
                "--jwks-file {shown} holds no key that can sign by ES256, EdDSA or RS256"
            )));
        }
        let jwks = serde_json::from_str(&text);
        jwks.map(Some).map_err(|error| refused(format!("--jwks-file {shown}: {error}")))
    }
}

fn redirect_uris(option: &str, uris: &[String]) -> Result<Vec<RedirectUri>, CommandError> {
    let parsed = uris.iter().map(|uri| {
        RedirectUri::parse(uri)
            .map_err(|error| refused(format!("{option} {uri}: {}", error.description)))
    });
    parsed.collect()
}

/// Refuses a client that could never do anything.
fn check_use(client: &ClientMetadata) -> Result<(), CommandError> {
    let is_resource_server = client.operator.resource.is_some();
    if client.grant_types.is_empty() && !is_resource_server {
        return Err(refused(
            "the client could do nothing; give it a --redirect-uri, a --grant-type, or the \
             --resource that it is",
        ));
    }
    let uses_code = client.grant_types.contains(&GrantType::AuthorizationCode);
    if uses_code == client.redirect_uris.is_empty() {
        return Err(refused(
            "the grant authorization_code needs a --redirect-uri, and only that grant does",
        ));
    }
    match client.token_endpoint_auth_method {
        AuthenticationMethod::PrivateKeyJwt if !client.has_keys() => {
            Err(refused("private_key_jwt needs --jwks-file or --jwks-uri"))
        }
        AuthenticationMethod::None if is_resource_server => {
            Err(refused("a resource server must authenticate; choose another --auth-method"))
        }
        _ => Ok(()),
    }
}

fn refused(why: impl Into<String>) -> CommandError {
    CommandError::Refused(why.into())
}
