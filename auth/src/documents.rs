//! The public documents as bytes, rendered when their content changes and not for each request.

mod coalesced;

use std::{sync::OnceLock, time::Duration};

use axum::http::header::CONTENT_SECURITY_POLICY;
pub(crate) use net::document::Document;
use serde::Serialize;
use web::Brand;

pub(crate) use self::coalesced::Coalesced;
use crate::{config::Logo, oauth::secret, storage::StorageError};

/// How long requests share one query of the stored keys or revocations, and so how much later they
/// see what another replica has changed. Verifiers poll revocations every second and must enforce
/// them within two.
const QUERY_TTL: Duration = Duration::from_millis(50);
const JSON: &str = "application/json";
/// For documents whose path changes with their content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Every document of this server.
#[derive(Debug)]
pub(crate) struct Documents {
    /// The server metadata, without and with support for client metadata documents.
    pub(crate) metadata: [OnceLock<Document>; 2],
    pub(crate) key_set: Coalesced<Document>,
    /// The number of the latest revocation, and the response to a reader that has it.
    pub(crate) latest_revocation: Coalesced<Result<(i64, Document), StorageError>>,
    /// The whole deny list.
    pub(crate) deny_list: Coalesced<Result<Document, StorageError>>,
    pub(crate) stylesheet: Document,
    pub(crate) logo: Option<ServedLogo>,
}

/// The operator's logo.
#[derive(Debug)]
pub(crate) struct ServedLogo {
    /// Its path, named by its content.
    pub(crate) path: String,
    pub(crate) document: Document,
}

impl Documents {
    pub(crate) fn new(brand: &Brand, logo: Option<Logo>) -> Self {
        let stylesheet = brand.stylesheet().to_owned();
        let hash = secret::hash(&stylesheet);
        Self {
            metadata: Default::default(),
            key_set: Coalesced::new(QUERY_TTL),
            latest_revocation: Coalesced::new(QUERY_TTL),
            deny_list: Coalesced::new(QUERY_TTL),
            stylesheet: Document::new(stylesheet, &hash, "text/css; charset=utf-8")
                .cached(IMMUTABLE),
            logo: logo.map(ServedLogo::from),
        }
    }
}

impl From<Logo> for ServedLogo {
    /// The policy keeps an SVG file from running scripts when it is opened as a page.
    fn from(logo: Logo) -> Self {
        let hash = secret::sha256(&logo.bytes);
        let document = Document::new(logo.bytes, &hash, logo.media_type)
            .cached(IMMUTABLE)
            .with(CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
        Self { path: logo.path, document }
    }
}

/// A JSON document whose entity tag is the hash of its content.
pub(crate) fn json(value: &impl Serialize) -> Document {
    let text = text(value);
    let hash = secret::sha256(&text);
    Document::new(text, &hash, JSON)
}

/// A JSON document with this entity tag.
pub(crate) fn json_tagged(value: &impl Serialize, tag: &str) -> Document {
    Document::new(text(value), tag, JSON)
}

/// Structs of strings, numbers and lists never fail to serialize.
fn text(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
