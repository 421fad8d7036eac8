//! The flags about signing in: who this client is, and how it gets its tokens.
//!
//! A secret is never given on the command line, where every other program could read it. It comes
//! from a file, whose name may also be given in the environment.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use url::Url;

use crate::{
    files::private_file,
    http::is_secure,
    oauth::{
        client_assertion::ClientKey,
        dpop_choice::DpopChoice,
        enterprise::IdentityProvider,
        identity::{Identity, PreRegistered},
    },
    profile::{Profile, SignInMethod},
    protocol::Protocol,
    secret::Secret,
};

/// How tokens are got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GrantOption {
    /// A person with a browser on this machine
    Browser,
    /// A person with a browser elsewhere, and a code to type
    Device,
    /// The client itself, with its secret or key
    ClientCredentials,
    /// A company's identity provider, with its ID token for the person
    Enterprise,
    /// The platform this runs on, with its signed assertion
    Workload,
}

/// What the help calls these flags.
pub(super) const SIGN_IN_HEADING: &str = "Signing in";

/// Flags about signing in.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = SIGN_IN_HEADING)]
pub(crate) struct SignInOptions {
    /// Sign in with a browser on another device; the same as `--grant device`
    #[arg(long, global = true, hide = true, conflicts_with = "grant")]
    pub(crate) device: bool,
    /// How to get tokens [default: browser]
    #[arg(long, global = true, hide = true, value_enum)]
    pub(crate) grant: Option<GrantOption>,
    /// The client that was registered beforehand
    #[arg(long, global = true, hide = true, value_name = "ID", env = "PORTCULLIS_CLIENT_ID")]
    pub(crate) client_id: Option<String>,
    /// A file with its secret
    #[arg(
        long,
        global = true,
        hide = true,
        value_name = "FILE",
        env = "PORTCULLIS_CLIENT_SECRET_FILE"
    )]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// A file with its private key, in PEM or as a JWK
    #[arg(long, global = true, hide = true, value_name = "FILE")]
    pub(crate) client_key_file: Option<PathBuf>,
    /// Where this client's metadata document is published
    #[arg(
        long,
        global = true,
        hide = true,
        hide_short_help = true,
        value_name = "URL",
        env = "PORTCULLIS_CLIENT_METADATA_URL"
    )]
    pub(crate) client_metadata_url: Option<Url>,
    /// The only authorization server that the client's secret or key is for
    #[arg(long, global = true, hide = true, hide_short_help = true, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The port of 127.0.0.1 that the registered redirect URI names
    #[arg(long, global = true, hide = true, hide_short_help = true, value_name = "PORT")]
    pub(crate) redirect_port: Option<u16>,
    /// A file with the platform's assertion, or with the person's ID token
    #[arg(long, global = true, hide = true, hide_short_help = true, value_name = "FILE")]
    pub(crate) assertion_file: Option<PathBuf>,
    /// Where the company's identity provider exchanges tokens
    #[arg(long, global = true, hide = true, hide_short_help = true, value_name = "URL")]
    pub(crate) identity_provider: Option<Url>,
    /// What this client is called at the identity provider
    #[arg(long, global = true, hide = true, hide_short_help = true, value_name = "ID")]
    pub(crate) identity_provider_client_id: Option<String>,
    /// A file with its secret there
    #[arg(long, global = true, hide = true, hide_short_help = true, value_name = "FILE")]
    pub(crate) identity_provider_secret_file: Option<PathBuf>,
    /// Whether tokens are bound to a key (RFC 9449)
    #[arg(long, global = true, hide = true, value_enum, default_value_t)]
    pub(crate) dpop: DpopChoice,
}

impl SignInOptions {
    /// The profile that these flags describe.
    pub(crate) fn profile(&self, protocol: Protocol) -> Result<Profile, String> {
        let identity = self.identity()?;
        let method = self.method()?;
        Ok(Profile { protocol, identity, method, dpop: self.dpop, ..Profile::default() })
    }

    /// The files with lasting secrets that others than their owner can use. An assertion is not
    /// among them: it lives for minutes, and the platform that writes it sets its mode.
    pub(crate) fn exposed_files(&self) -> impl Iterator<Item = &Path> {
        let files =
            [&self.client_secret_file, &self.client_key_file, &self.identity_provider_secret_file];
        let files = files.into_iter().filter_map(|file| file.as_deref());
        files.filter(|file| private_file::is_exposed(file))
    }

    fn identity(&self) -> Result<Identity, String> {
        let secret = self.client_secret_file.as_ref().map(read).transpose()?;
        let key = self.client_key_file.as_ref().map(read).transpose()?;
        let key = key.map(|text| ClientKey::parse(&text)).transpose();
        let key = key.map_err(|error| error.to_string())?;
        let pre_registered = match &self.client_id {
            Some(client_id) => Some(PreRegistered { client_id: client_id.clone(), secret, key }),
            None if self.client_secret_file.is_some() || key.is_some() => {
                return Err("name the client with `--client-id`".to_owned());
            }
            None => None,
        };
        if self.client_metadata_url.as_ref().is_some_and(|url| !is_document_address(url)) {
            return Err("the metadata document must be at an https address with a path, without \
                        user, password and `#`"
                .to_owned());
        }
        Ok(Identity {
            pre_registered,
            metadata_document: self.client_metadata_url.clone(),
            issuer: self.issuer.clone(),
            redirect_port: self.redirect_port,
        })
    }

    fn method(&self) -> Result<SignInMethod, String> {
        let assertion = || match &self.assertion_file {
            Some(file) => read(file),
            None => Err("give the assertion with `--assertion-file`".to_owned()),
        };
        Ok(match self.grant.unwrap_or(GrantOption::Browser) {
            _ if self.device => SignInMethod::Device,
            GrantOption::Browser => SignInMethod::Browser,
            GrantOption::Device => SignInMethod::Device,
            GrantOption::ClientCredentials => SignInMethod::ClientCredentials,
            GrantOption::Workload => SignInMethod::Workload(assertion()?),
            GrantOption::Enterprise => {
                SignInMethod::Enterprise(self.identity_provider(assertion()?)?)
            }
        })
    }

    fn identity_provider(&self, id_token: Secret) -> Result<IdentityProvider, String> {
        let token_endpoint = self.identity_provider.clone();
        let token_endpoint = token_endpoint.filter(is_secure).ok_or(
            "give the https address where the identity provider exchanges tokens, with \
             `--identity-provider`",
        )?;
        let client_id = self.identity_provider_client_id.clone();
        let client_secret = self.identity_provider_secret_file.as_ref().map(read).transpose()?;
        Ok(IdentityProvider {
            token_endpoint,
            client_id: client_id
                .ok_or("name this client there with `--identity-provider-client-id`")?,
            client_secret,
            id_token,
        })
    }
}

fn read(file: &PathBuf) -> Result<Secret, String> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(Secret::new(text.trim()))
}

/// Whether a client may be known by `url` (OAuth Client ID Metadata Document §3).
fn is_document_address(url: &Url) -> bool {
    url.scheme() == "https"
        && url.path() != "/"
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_metadata_document_is_checked_before_it_is_sent() {
        let profile = |url: &str| {
            let options = SignInOptions {
                client_metadata_url: Some(Url::parse(url).expect("a URL")),
                ..SignInOptions::default()
            };
            options.profile(Protocol::default())
        };
        assert!(profile("https://client.example/metadata.json").is_ok());
        for url in [
            "http://client.example/metadata.json",
            "https://client.example",
            "https://client.example/metadata.json#part",
            "https://me@client.example/metadata.json",
        ] {
            assert!(profile(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_secret_without_a_client_is_a_mistake() {
        let file = std::path::PathBuf::from("/dev/null");
        let options = SignInOptions { client_secret_file: Some(file), ..SignInOptions::default() };
        assert!(options.profile(Protocol::default()).is_err());
    }
}
