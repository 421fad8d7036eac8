//! The metadata of both servers, and the keys.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Value, json};

use super::{Flawed, Shared, set};

pub(super) async fn resource(State(flawed): Shared, uri: Uri) -> Response {
    let is_root = !uri.path().ends_with("/mcp");
    match flawed.flaw {
        "resource.found" => return StatusCode::NOT_FOUND.into_response(),
        "resource.inserted_place" if !is_root => return StatusCode::NOT_FOUND.into_response(),
        "resource.root_place" if is_root => return StatusCode::NOT_FOUND.into_response(),
        "resource.available" if !is_root => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "redirects.none" if !is_root => return Redirect::to("/elsewhere").into_response(),
        "open" => return StatusCode::NOT_FOUND.into_response(),
        "troubled_elsewhere" if is_root => return Redirect::to("/elsewhere").into_response(),
        "hosts_many" if is_root => {
            let other = json!({
                "resource": flawed.origin,
                "authorization_servers": ["https://other.example"],
            });
            return cached(&flawed, other);
        }
        _ => {}
    }
    let resource = match flawed.flaw {
        "resource.origin" => flawed.at("/mcp").replace("localhost", "127.0.0.1"),
        "resource.trailing_slash" => flawed.at("/mcp/"),
        "resource.exact" => flawed.origin.clone(),
        _ => flawed.at("/mcp"),
    };
    let announced = match flawed.flaw {
        "issuer.announced_slash" | "issuer.no_trailing_slash" => flawed.at("/"),
        "issuer.well_formed" | "issuer.expected" | "tenant" => flawed.issuer(),
        // No server listens on the first port.
        "server.reachable" => "http://localhost:1".to_owned(),
        _ => flawed.origin.clone(),
    };
    cached(&flawed, resource_document(&flawed, is_root, (&resource, &announced)))
}

fn resource_document(flawed: &Flawed, is_root: bool, (resource, announced): (&str, &str)) -> Value {
    let mut document = json!({
        "resource": resource,
        "authorization_servers": [announced],
        "scopes_supported": ["mcp:tools"],
        "bearer_methods_supported": ["header"],
    });
    match flawed.flaw {
        "resource.same_everywhere" if is_root => document["resource_name"] = "Another".into(),
        "resource.no_null" => document["resource_documentation"] = Value::Null,
        "resource.types" => document["resource_name"] = json!({"en": "Seeded"}),
        "defaults" => remove(&mut document, "bearer_methods_supported"),
        "extra_members" => {
            document["authorization_servers"] = json!([announced, "https://second.example"]);
            document["resource_policy_uri"] = "http://pages.example/policy".into();
            document["resource_signing_alg_values_supported"] = json!([]);
            document["bearer_methods_supported"] = json!(["header", "body"]);
            document["own_member"] = 5.into();
        }
        "resource.authorization_servers" => document["authorization_servers"] = json!([]),
        "resource.scopes" => remove(&mut document, "scopes_supported"),
        "resource.offline_access" => {
            document["scopes_supported"] = json!(["mcp:tools", "offline_access"]);
        }
        "resource.bearer_methods" => {
            document["bearer_methods_supported"] = json!(["header", "query"]);
        }
        _ => {}
    }
    document
}

pub(super) async fn server(State(flawed): Shared, uri: Uri) -> Response {
    let is_openid = uri.path().ends_with("openid-configuration");
    match flawed.flaw {
        "server.found" => return StatusCode::NOT_FOUND.into_response(),
        "server.oauth_place" if !is_openid => return StatusCode::NOT_FOUND.into_response(),
        "server.openid_place" if is_openid => return StatusCode::NOT_FOUND.into_response(),
        "server.available" if !is_openid => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "troubled_elsewhere" if is_openid => {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        _ => {}
    }
    let mut document = json!({
        "issuer": flawed.issuer(),
        "authorization_endpoint": flawed.at("/authorize"),
        "token_endpoint": flawed.at("/token"),
        "registration_endpoint": flawed.at("/register"),
        "revocation_endpoint": flawed.at("/revoke"),
        "jwks_uri": flawed.at("/jwks"),
        "scopes_supported": ["mcp:tools"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
    });
    if flawed.is("issuer.same_everywhere") && is_openid {
        document["issuer"] = flawed.at("/another").into();
    }
    spoil(&flawed, &mut document);
    vary(&flawed, &mut document);
    cached(&flawed, document)
}

/// What variants say otherwise.
fn vary(flawed: &Flawed, document: &mut Value) {
    match flawed.flaw {
        "opaque" => remove(document, "jwks_uri"),
        "defaults" => {
            for member in [
                "grant_types_supported",
                "token_endpoint_auth_methods_supported",
                "scopes_supported",
                "authorization_response_iss_parameter_supported",
                "client_id_metadata_document_supported",
            ] {
                remove(document, member);
            }
        }
        "confidential" => {
            document["token_endpoint_auth_methods_supported"] =
                json!(["client_secret_post", "client_secret_basic"]);
            remove(document, "client_id_metadata_document_supported");
        }
        "secret_by_default" => {
            document["token_endpoint_auth_methods_supported"] =
                json!(["client_secret_basic", "none"]);
        }
        "documents_only" => remove(document, "registration_endpoint"),
        "extra_members" => {
            document["op_policy_uri"] = "http://pages.example/policy".into();
            document["ui_locales_supported"] = json!([]);
            document["response_types_supported"] =
                json!(["code", "code id_token", "id_token", "none"]);
            document["grant_types_supported"] =
                json!(["authorization_code", "implicit", "refresh_token", "urn:own:grant"]);
            document["mtls_endpoint_aliases"] = json!({"token_endpoint": "https://mtls.example"});
            document["own_member"] = json!([[1]]);
        }
        _ => {}
    }
}

fn spoil(flawed: &Flawed, document: &mut Value) {
    match flawed.flaw {
        "server.no_null" => document["service_documentation"] = Value::Null,
        "server.types" => document["ui_locales_supported"] = "en".into(),
        "server.endpoints" => remove(document, "token_endpoint"),
        "server.secure_endpoints" => {
            document["userinfo_endpoint"] = "http://as.example/userinfo".into();
        }
        "server.endpoint_origin" => {
            document["authorization_endpoint"] =
                flawed.at("/authorize").replace("localhost", "127.0.0.1").into();
            remove(document, "authorization_response_iss_parameter_supported");
        }
        "server.pkce" => remove(document, "code_challenge_methods_supported"),
        "server.no_plain" => {
            document["code_challenge_methods_supported"] = json!(["S256", "plain"]);
        }
        "server.code" => document["response_types_supported"] = json!(["id_token"]),
        "server.no_implicit" => document["response_types_supported"] = json!(["code", "token"]),
        "server.refresh_tokens" => {
            document["grant_types_supported"] = json!(["authorization_code"]);
        }
        "server.public_clients" => {
            document["token_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]);
        }
        "server.iss" => remove(document, "authorization_response_iss_parameter_supported"),
        "server.identity" => {
            remove(document, "registration_endpoint");
            remove(document, "client_id_metadata_document_supported");
        }
        "server.metadata_documents" => remove(document, "client_id_metadata_document_supported"),
        "server.registration" => remove(document, "registration_endpoint"),
        "server.revocation" => remove(document, "revocation_endpoint"),
        "server.scopes" => document["scopes_supported"] = json!(["profile"]),
        "server.offline_access" => {
            document["scopes_supported"] = json!(["mcp:tools", "offline_access"]);
        }
        _ => {}
    }
}

/// The keys. Nothing is verified with them, so they need not be on any curve.
pub(super) async fn keys(State(flawed): Shared) -> Response {
    if flawed.is("keys.readable") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let key =
        json!({"kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256", "x": "AA", "y": "AA"});
    let with = |member: &str, value: Value| {
        let mut changed = key.clone();
        changed[member] = value;
        changed
    };
    let long = "A".repeat(683);
    let keys = match flawed.flaw {
        "keys.public" => vec![with("d", "AA".into())],
        "keys.algorithms" => vec![with("alg", "HS256".into())],
        "keys.types" => vec![with("use", json!(["sig"]))],
        "keys.alg" => {
            let mut bare = key.clone();
            remove(&mut bare, "alg");
            vec![bare]
        }
        "keys.strength" => {
            vec![json!({"kty": "RSA", "kid": "1", "alg": "RS256", "n": "AAAA", "e": "AQAB"})]
        }
        "keys.named" => vec![key.clone(), key],
        "one_key" => {
            let mut bare = key.clone();
            remove(&mut bare, "kid");
            vec![bare]
        }
        "many_keys" => vec![
            json!({"kty": "RSA", "kid": "1", "alg": "RS256", "n": long, "e": "AQAB", "x5c": ["AA"]}),
            json!({"kty": "RSA", "kid": "2", "use": "enc", "alg": "RSA-OAEP-256", "n": long, "e": "AQAB"}),
            json!({"kty": "OKP", "kid": "3", "alg": "EdDSA", "crv": "Ed25519", "x": "AA"}),
            key,
        ],
        _ => vec![key],
    };
    let keys = json!({"keys": keys});
    let mut response = Json(keys).into_response();
    if !flawed.is("keys.freshness") {
        set(&mut response, "cache-control", "public, max-age=3600, stale-if-error=60");
    }
    response
}

fn cached(flawed: &Flawed, document: Value) -> Response {
    let mut response = Json(document).into_response();
    if !flawed.is("cache.metadata") {
        set(&mut response, "cache-control", "public, max-age=300");
    }
    response
}

fn remove(document: &mut Value, member: &str) {
    document.as_object_mut().expect("an object").remove(member);
}
