//! Clients whose `client_id` is the address of a document that describes them
//! (draft-ietf-oauth-client-id-metadata-document §4).

use keys::unique_json;

use super::remote::RemoteError;
use crate::oauth::{Client, Provenance, client::RequestedMetadata};

/// Largest document, in bytes (§6.6 of the draft).
pub(super) const MAX_DOCUMENT: usize = 5 * 1024;

/// The client that the document at `client_id` describes. Its metadata follows the rules of
/// registrations.
pub(super) fn read(client_id: &str, body: &[u8]) -> Result<Client, RemoteError> {
    let requested: RequestedMetadata = unique_json::from_slice(body).map_err(|error| {
        unusable("metadata_document_malformed", format!("it is not a JSON object ({error})"))
    })?;
    let named = requested
        .text("client_id")
        .map_err(|error| unusable("metadata_document_malformed", error.description))?;
    if named != Some(client_id) {
        let why = "its client_id is not the URL that it was fetched from, byte for byte";
        return Err(unusable("metadata_document_client_id", why));
    }
    if !requested.has("client_name") {
        return Err(unusable("metadata_document_malformed", "it has no client_name"));
    }
    if requested.has("client_secret") || requested.has("client_secret_expires_at") {
        let why = "it holds a client_secret, which everybody can read there";
        return Err(unusable("metadata_document_secret", why));
    }
    let metadata = requested
        .validate(Provenance::MetadataDocument)
        .map_err(|error| unusable("metadata_document_refused", error.description))?;
    Ok(Client {
        id: client_id.to_owned(),
        provenance: Provenance::MetadataDocument,
        metadata,
        secret_hashes: Vec::new(),
        registration_id: None,
    })
}

fn unusable(reason: &'static str, why: impl Into<String>) -> RemoteError {
    RemoteError::Unusable(reason, why.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ID: &str = "https://cimd.test/c.json";

    fn judged(name: &str, value: Value) -> Result<Client, &'static str> {
        let mut document = json!({
            "client_id": ID,
            "client_name": "Test client",
            "redirect_uris": ["http://127.0.0.1/callback"],
        });
        document[name] = value;
        read(ID, document.to_string().as_bytes()).map_err(|error| match error {
            RemoteError::Unusable(reason, _) => reason,
            RemoteError::Fetch(_) => "fetch",
        })
    }

    #[test]
    fn the_document_names_the_address_it_was_fetched_from() {
        assert_eq!(judged("client_id", json!(ID)).unwrap().id, ID);
        for id in ["https://cimd.test/c.json/", "https://CIMD.test/c.json", "https://cimd.test/c"] {
            let refused = judged("client_id", json!(id)).unwrap_err();
            assert_eq!(refused, "metadata_document_client_id", "{id}");
        }
        for id in [json!(7), json!([ID])] {
            let refused = judged("client_id", id.clone()).unwrap_err();
            assert_eq!(refused, "metadata_document_malformed", "{id}");
        }
        assert_eq!(judged("client_id", Value::Null).unwrap_err(), "metadata_document_client_id");
    }

    #[test]
    fn a_public_document_has_no_secret() {
        assert_eq!(judged("client_secret", json!("x")).unwrap_err(), "metadata_document_secret");
        for method in ["client_secret_basic", "client_secret_post", "private_key_jwt"] {
            let refused = judged("token_endpoint_auth_method", json!(method)).unwrap_err();
            assert_eq!(refused, "metadata_document_refused", "{method}");
        }
    }

    #[test]
    fn several_offered_methods_are_no_reason_to_refuse() {
        let name = "token_endpoint_auth_methods_supported";
        let client = judged(name, json!(["client_secret_basic", "none"])).unwrap();
        assert!(client.is_public());
    }

    #[test]
    fn dangerous_members_refuse_the_whole_document() {
        for (name, value) in [
            ("redirect_uris", json!(["https://app.test/cb", "javascript:alert(1)"])),
            ("redirect_uris", json!(["https://app.test/cb?code=x"])),
            ("post_logout_redirect_uris", json!(["https://app.test/bye?state=x"])),
            ("jwks", json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})),
            ("client_name", json!("a\u{202e}b")),
        ] {
            assert_eq!(judged(name, value).unwrap_err(), "metadata_document_refused", "{name}");
        }
        assert_eq!(judged("client_name", Value::Null).unwrap_err(), "metadata_document_malformed");
        assert!(read(ID, b"\xef\xbb\xbf{}").is_err());
        assert!(read(ID, b"{} x").is_err());
    }
}
