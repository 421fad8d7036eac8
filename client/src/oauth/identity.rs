//! Step 4: which client this program is at an authorization server (MCP "Client Registration").
//!
//! In this order: a pre-registered client, one that is known by the URL of its metadata document,
//! and one that registers itself.

use url::Url;

use super::{
    OAuthError,
    authorization_server_metadata::AuthorizationServerMetadata,
    client_assertion::ClientKey,
    registration::{ClientAuthenticationMethod, ClientRegistration},
};
use crate::secret::Secret;

/// Which client this program is, as far as the user has configured it.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The client that the operator of the authorization server has registered.
    pub pre_registered: Option<PreRegistered>,
    /// Where this program's metadata document is published.
    pub metadata_document: Option<Url>,
    /// The only issuer this identity is for; without it, the first one it is used at.
    pub issuer: Option<String>,
    /// The port that the redirect URI must have, if the registration names one.
    pub redirect_port: Option<u16>,
}

/// A pre-registered client and its credentials.
#[derive(Clone, Debug)]
pub struct PreRegistered {
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub secret: Option<Secret>,
    /// Its private key.
    pub key: Option<ClientKey>,
}

impl Identity {
    /// The client to use at the server with `metadata`; `None` if it has to register itself.
    pub(crate) fn registration_at(
        &self,
        metadata: &AuthorizationServerMetadata,
        redirect_uri: &str,
    ) -> Result<Option<ClientRegistration>, OAuthError> {
        let redirect_uri = redirect_uri.to_owned();
        if let Some(client) = &self.pre_registered {
            return client.registration_at(metadata, redirect_uri).map(Some);
        }
        let document = self.metadata_document.as_ref();
        let document = document.filter(|_| metadata.client_id_metadata_document_supported);
        Ok(document.map(|url| ClientRegistration::public(url.to_string(), redirect_uri)))
    }

    /// Refuses to send a secret or key to any issuer but the configured one or the one where it was
    /// first used (`pinned`), whatever the MCP server names.
    pub(crate) fn check_issuer(
        &self,
        issuer: &str,
        pinned: Option<&str>,
    ) -> Result<(), OAuthError> {
        match self.issuer.as_deref().or(pinned) {
            Some(expected) if self.pre_registered.is_some() && expected != issuer => {
                Err(OAuthError::ForeignIssuer {
                    expected: expected.to_owned(),
                    found: issuer.to_owned(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl PreRegistered {
    /// This client at the server with `metadata`, with the best authentication that both support.
    pub(super) fn registration_at(
        &self,
        metadata: &AuthorizationServerMetadata,
        redirect_uri: String,
    ) -> Result<ClientRegistration, OAuthError> {
        use ClientAuthenticationMethod as Method;
        let able: &[Method] = match (&self.key, &self.secret) {
            (Some(_), _) => &[Method::PrivateKeyJwt],
            (None, Some(_)) => &[Method::ClientSecretBasic, Method::ClientSecretPost],
            (None, None) => &[Method::None],
        };
        let public = ClientRegistration::public(self.client_id.clone(), redirect_uri);
        Ok(ClientRegistration {
            client_secret: self.secret.clone().filter(|_| self.key.is_none()),
            authentication_method: Method::choose(metadata, able)?,
            key: self.key.clone(),
            ..public
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(document: bool) -> AuthorizationServerMetadata {
        serde_json::from_value(serde_json::json!({
            "issuer": "https://as.example",
            "client_id_metadata_document_supported": document,
        }))
        .expect("metadata")
    }

    fn identity(pre_registered: bool, issuer: Option<&str>) -> Identity {
        let client = PreRegistered {
            client_id: "c1".to_owned(),
            secret: Some(Secret::new("s1")),
            key: None,
        };
        Identity {
            pre_registered: pre_registered.then_some(client),
            metadata_document: Url::parse("https://client.example/metadata.json").ok(),
            issuer: issuer.map(str::to_owned),
            redirect_port: None,
        }
    }

    fn client_id(identity: &Identity, document: bool) -> Option<String> {
        let client = identity.registration_at(&metadata(document), "http://127.0.0.1:1/callback");
        client.expect("an identity").map(|client| client.client_id)
    }

    #[test]
    fn registered_beforehand_comes_before_a_document_and_that_before_registration() {
        assert_eq!(client_id(&identity(true, None), true).as_deref(), Some("c1"));
        let document = client_id(&identity(false, None), true);
        assert_eq!(document.as_deref(), Some("https://client.example/metadata.json"));
        assert_eq!(client_id(&identity(false, None), false), None);
    }

    #[test]
    fn a_secret_is_not_sent_to_another_issuer() {
        let identity = identity(true, Some("https://as.example"));
        assert!(identity.check_issuer("https://as.example", Some("https://old.example")).is_ok());
        for other in ["https://as.example/", "https://evil.example"] {
            let refused = identity.check_issuer(other, Some(other));
            assert!(matches!(refused, Err(OAuthError::ForeignIssuer { .. })), "{other}");
        }
    }

    #[test]
    fn a_client_registered_beforehand_stays_with_its_first_issuer() {
        let identity = identity(true, None);
        assert!(identity.check_issuer("https://as.example", None).is_ok());
        assert!(identity.check_issuer("https://as.example", Some("https://as.example")).is_ok());
        assert!(identity.check_issuer("https://evil.example", Some("https://as.example")).is_err());
    }
}
