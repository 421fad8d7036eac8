//! Clients, scopes and places, as the pages show them.

use axum::response::{Html, IntoResponse, Response};
use url::Url;
use web::{
    ClientDetails, Language, OwnPages, Person, Place, ScopeLine,
    consent::{Redirect, RedirectKind},
};

use crate::{
    extract::SignedIn,
    oauth::{Client, Provenance, RedirectTarget, Resource, ScopeSet, redirect_target},
};

/// Who asks, and how much of it is proven.
pub(crate) fn client_details(client: &Client) -> ClientDetails {
    let text = |url: &Option<Url>| url.as_ref().map(Url::to_string);
    // The host of a metadata document vouches for what it says.
    let is_document = client.provenance == Provenance::MetadataDocument;
    let host = if is_document { host_of(&client.id) } else { None };
    ClientDetails {
        name: client.metadata.client_name.clone(),
        id: client.id.clone(),
        host,
        unverified: client.vouches_for_itself(),
        pages: OwnPages {
            home: text(&client.metadata.client_uri),
            policy: text(&client.metadata.policy_uri),
            terms: text(&client.metadata.tos_uri),
        },
    }
}

/// The host of an identifier that is a URL, of https or, in development, of http. A grant
/// remembers the identifier alone, and only a metadata document's is a URL.
pub(crate) fn host_of(client_id: &str) -> Option<String> {
    redirect_target::host_of(&Url::parse(client_id).ok()?)
}

pub(crate) fn redirect(target: &RedirectTarget) -> Redirect {
    let kind = match target.uri() {
        _ if target.is_loopback() => RedirectKind::Loopback,
        uri if uri.starts_with("https:") => RedirectKind::Web,
        _ => RedirectKind::PrivateScheme,
    };
    Redirect { host: target.shown_host(), uri: target.uri().into(), kind }
}

pub(crate) fn person(signed_in: &SignedIn) -> Person {
    Person { name: signed_in.shown_name(), email: signed_in.user().email.clone() }
}

/// One line for each scope, in the order asked and in a language. What comes along with a scope that
/// cannot be left out cannot be left out either.
pub(crate) fn scope_lines(
    resource: Option<&Resource>,
    scopes: &ScopeSet,
    language: Language,
) -> Vec<ScopeLine> {
    let own = |name: &str| resource?.scopes.iter().find(|scope| scope.name == name);
    let is_fixed = |name: &&str| own(name).is_some_and(|scope| !scope.optional);
    let fixed: ScopeSet = scopes.iter().filter(is_fixed).collect();
    let fixed = resource.map(|resource| resource.with_implied(&fixed)).unwrap_or_default();
    let line = |name| match own(name) {
        Some(scope) => ScopeLine {
            name: scope.name.clone(),
            description: Some(scope.words(language.tag()).into()),
            sensitive: scope.sensitive,
            optional: scope.optional && !fixed.contains(&scope.name),
        },
        None => ScopeLine::standard(name),
    };
    scopes.iter().map(line).collect()
}

/// A page that was drawn, as a response.
pub(crate) fn html(page: String) -> Response {
    Html(page).into_response()
}

/// A browser and its network; `None` where neither is known.
pub(crate) fn place(device: &str, network: &str) -> Option<Place> {
    let known = !device.is_empty() || !network.is_empty();
    known.then(|| Place { device: device.into(), network: network.into() })
}
