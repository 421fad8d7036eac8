//! The demo MCP server of this repository, as the resource that tokens are for unless the settings
//! name others.

use web::Language;

use crate::oauth::{Resource, resource::ResourceScope};

pub(super) fn resource(identifier: String) -> Resource {
    let tools =
        scope("mcp:tools", "Use the tools of this server", "Die Werkzeuge dieses Servers benutzen");
    let notes = ResourceScope {
        sensitive: true,
        on_request: true,
        implies: vec!["mcp:tools".into()],
        ..scope("notes:write", "Write notes for you", "Notizen für Sie schreiben")
    };
    Resource {
        resource: identifier,
        name: "MCP demo".into(),
        scopes: vec![tools, notes],
        ..Resource::default()
    }
}

fn scope(name: &str, english: &str, german: &str) -> ResourceScope {
    let translations = [(Language::German.tag().into(), german.into())].into();
    ResourceScope {
        name: name.into(),
        description: english.into(),
        translations,
        ..ResourceScope::default()
    }
}
