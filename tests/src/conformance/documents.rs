//! The resources and their template.

use rmcp::{
    ErrorData,
    model::{
        CacheScope, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents,
        ResourceTemplate,
    },
};
use serde_json::json;

use super::{CACHE_TTL, content::IMAGE, skills};

pub(super) fn resources() -> Vec<Resource> {
    let own = vec![
        Resource::new("test://static-text", "Static text")
            .with_description("A text that never changes")
            .with_mime_type("text/plain"),
        Resource::new("test://static-binary", "Static picture")
            .with_description("A picture that never changes")
            .with_mime_type("image/png"),
        Resource::new("test://watched-resource", "Watched text")
            .with_description("A text to subscribe to")
            .with_mime_type("text/plain"),
    ];
    [own, skills::resources()].concat()
}

pub(super) fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new("test://template/{id}/data", "Data by id")
            .with_description("The data of one id")
            .with_mime_type("application/json"),
    ]
}

pub(super) fn read(uri: &str) -> Result<ReadResourceResponse, ErrorData> {
    let contents = match uri {
        "test://static-text" => text(uri, "text/plain", "This is the text that never changes."),
        "test://watched-resource" => text(uri, "text/plain", "This is the text to subscribe to."),
        "test://static-binary" => ResourceContents::BlobResourceContents {
            uri: uri.into(),
            mime_type: Some("image/png".into()),
            blob: IMAGE.into(),
            meta: None,
        },
        _ => match (templated(uri), skills::read(uri)) {
            (Some(id), _) => {
                let data = json!({"id": id, "templateTest": true, "data": format!("Data of {id}")});
                text(uri, "application/json", &data.to_string())
            }
            (None, Some((mime_type, words))) => text(uri, mime_type, words),
            (None, None) => {
                let said = Some(json!({"uri": uri}));
                return Err(ErrorData::resource_not_found("there is no such resource", said));
            }
        },
    };
    let result = ReadResourceResult::new(vec![contents]);
    Ok(result.with_ttl_ms(CACHE_TTL).with_cache_scope(CacheScope::Public).into())
}

/// The id in a URI of the template.
fn templated(uri: &str) -> Option<&str> {
    let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

fn text(uri: &str, mime_type: &str, words: &str) -> ResourceContents {
    ResourceContents::TextResourceContents {
        uri: uri.into(),
        mime_type: Some(mime_type.into()),
        text: words.into(),
        meta: None,
    }
}
