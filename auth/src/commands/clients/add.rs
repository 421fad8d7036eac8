//! `auth clients add`: the wishes of an operator, judged by the rules that every client follows.

use std::{fs, io::Write, path::PathBuf};

use clap::Args;
use keys::PublishedKeys;
use url::Url;
use uuid::Uuid;

use super::show;
use crate::{
    clock::Clock,
    commands::{CommandError, Format},
    config::DatabaseSetting,
    oauth::{
        client::{ApplicationType, AuthenticationMethod, GrantType, check_name},
        redirect_uri::RedirectUri,
        resource::TokenFormat,
        scope::ScopeSet,
        secret::{Secret, SecretKind},
    },
    storage::clients,
};

/// What may be said of a client. Lists are given by repeating the option.
#[derive(Clone, Debug, Args)]
pub struct Add {
    /// What people call it.
    #[arg(long)]
    name: String,
    /// Its client_id; a random one unless told otherwise.
    #[arg(long)]
    id: Option<String>,
    /// A redirect URI: https, http on loopback, or a private-use scheme.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// A grant that it may use; with a redirect URI, authorization_code and refresh_token unless
    /// told otherwise.
    #[arg(long = "grant-type", value_name = "GRANT")]
    grant_types: Vec<String>,
    /// How it authenticates.
    #[arg(long = "auth-method", value_name = "METHOD", default_value = "client_secret_basic")]
    authentication: String,
    /// File of its public keys, a JWK Set.
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks_file: Option<PathBuf>,
    /// Address of its public keys.
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<Url>,
    /// Most scopes that it may ask for, separated by spaces; all of the resource's if left out.
    #[arg(long)]
    scope: Option<String>,
    /// The resource that it is: a resource server that may ask about tokens for it.
    #[arg(long, value_name = "IDENTIFIER")]
    resource: Option<String>,
    /// Where it runs: native or web.
    #[arg(long, value_name = "TYPE", default_value = "web")]
    application_type: String,
    /// What its access tokens are: jwt or opaque; what the resource says if left out.
    #[arg(long, value_name = "FORMAT")]
    access_token_format: Option<String>,
    /// Its authorization requests must be pushed (RFC 9126).
    #[arg(long)]
    require_pushed_authorization_requests: bool,
    /// Its tokens must be bound to a key (RFC 9449).
    #[arg(long)]
    dpop_bound_access_tokens: bool,
    /// Where people may be sent after they signed out.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// Who is told of a sign-out.
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
        let mut client = self.judge(clock.now())?;
        let secret = match self.method()?.has_secret() {
            true => Some(Secret::generate(SecretKind::ClientSecret)?),
            false => None,
        };
        client.secret_hash = secret.as_ref().map(Secret::hash);
        let db = self.database.open().await?;
        if clients::find(db.connection(), &client.id).await?.is_some() {
            return Err(refused(format!("there is a client {} already", client.id)));
        }
        clients::add(db.connection(), client.clone()).await?;
        Ok(show::write(stdout, &client, secret.as_ref(), self.format)?)
    }

    fn judge(&self, now: i64) -> Result<clients::Model, CommandError> {
        let redirect_uris = self.redirect_uris()?;
        let grant_types = self.grant_types()?;
        self.check_use(&grant_types)?;
        let format = self.access_token_format.as_deref();
        if format.is_some_and(|format| TokenFormat::parse(format).is_none()) {
            return Err(refused("--access-token-format must be jwt or opaque"));
        }
        if ApplicationType::parse(&self.application_type).is_none() {
            return Err(refused("--application-type must be native or web"));
        }
        let scope = self.scope.as_deref().map(ScopeSet::parse).transpose()?;
        Ok(clients::Model {
            id: self.client_id()?,
            name: check_name(Some(&self.name))?,
            redirect_uris: redirect_uris.join(" "),
            grant_types: grant_types.join(" "),
            token_endpoint_auth_method: self.method()?.as_str().into(),
            resource: self.resource.clone(),
            created_at: now,
            jwks: self.jwks()?,
            jwks_uri: self.jwks_uri.as_ref().map(Url::to_string),
            scope: scope.map(|scope| scope.to_string()),
            application_type: self.application_type.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris()?.join(" "),
            backchannel_logout_uri: self.backchannel_logout_uri.as_ref().map(Url::to_string),
            backchannel_logout_session_required: false,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            access_token_format: self.access_token_format.clone(),
            ..clients::Model::default()
        })
    }

    /// An id that travels in headers and lists without quoting, and that cannot be mistaken for
    /// an open registration or a metadata document.
    fn client_id(&self) -> Result<String, CommandError> {
        let Some(id) = &self.id else {
            return Ok(Uuid::new_v4().to_string());
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        match !id.is_empty() && id.len() <= 100 && id.bytes().all(plain) {
            true if id.starts_with("dyn_") => {
                Err(refused("--id must not start with dyn_: open registrations do"))
            }
            true => Ok(id.clone()),
            false => {
                Err(refused("--id may hold letters, digits, and - . _ ~, at most 100 of them"))
            }
        }
    }

    fn method(&self) -> Result<AuthenticationMethod, CommandError> {
        AuthenticationMethod::parse(&self.authentication).ok_or_else(|| {
            let known = AuthenticationMethod::ALL.map(AuthenticationMethod::as_str).join(", ");
            refused(format!("--auth-method must be one of {known}"))
        })
    }

    fn redirect_uris(&self) -> Result<Vec<String>, CommandError> {
        let parsed = self.redirect_uris.iter().map(|uri| {
            RedirectUri::parse(uri)
                .map(|uri| uri.as_str().to_owned())
                .map_err(|error| refused(format!("--redirect-uri {uri}: {}", error.description)))
        });
        parsed.collect()
    }

    fn post_logout_redirect_uris(&self) -> Result<Vec<String>, CommandError> {
        let parsed = self.post_logout_redirect_uris.iter().map(|uri| {
            RedirectUri::parse(uri).map(|uri| uri.as_str().to_owned()).map_err(|error| {
                refused(format!("--post-logout-redirect-uri {uri}: {}", error.description))
            })
        });
        parsed.collect()
    }

    fn grant_types(&self) -> Result<Vec<&'static str>, CommandError> {
        if self.grant_types.is_empty() && !self.redirect_uris.is_empty() {
            let usual = [GrantType::AuthorizationCode, GrantType::RefreshToken];
            return Ok(usual.map(GrantType::as_str).to_vec());
        }
        let parsed = self.grant_types.iter().map(|name| {
            GrantType::parse(name).map(GrantType::as_str).ok_or_else(|| {
                let known = GrantType::ALL.map(GrantType::as_str).join(", ");
                refused(format!("--grant-type {name} is not served; use one of {known}"))
            })
        });
        parsed.collect()
    }

    /// Refuses what could never work.
    fn check_use(&self, grant_types: &[&str]) -> Result<(), CommandError> {
        let code = GrantType::AuthorizationCode.as_str();
        if grant_types.is_empty() && self.resource.is_none() {
            return Err(refused(
                "the client could do nothing; give it a --redirect-uri, a --grant-type, or the \
                 --resource that it is",
            ));
        }
        if grant_types.contains(&code) == self.redirect_uris.is_empty() {
            return Err(refused(
                "the grant authorization_code needs a --redirect-uri, and only that grant does",
            ));
        }
        let has_keys = self.jwks_file.is_some() || self.jwks_uri.is_some();
        match self.method()? {
            AuthenticationMethod::PrivateKeyJwt if !has_keys => {
                Err(refused("private_key_jwt needs --jwks-file or --jwks-uri"))
            }
            AuthenticationMethod::None if self.resource.is_some() => {
                Err(refused("a resource server must authenticate; choose another --auth-method"))
            }
            _ => Ok(()),
        }
    }

    fn jwks(&self) -> Result<Option<String>, CommandError> {
        let Some(file) = &self.jwks_file else {
            return Ok(None);
        };
        let shown = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| refused(format!("--jwks-file {shown} cannot be read: {error}")))?;
        let keys = PublishedKeys::from_json(text.as_bytes())
            .map_err(|error| refused(format!("--jwks-file {shown}: {error}")))?;
        match keys.is_empty() {
            true => Err(refused(format!(
                "--jwks-file {shown} holds no key that can sign by ES256, EdDSA or RS256"
            ))),
            false => Ok(Some(text)),
        }
    }
}

fn refused(why: impl Into<String>) -> CommandError {
    CommandError::Refused(why.into())
}
