//! Every route on one screen.

use std::time::Duration;

use axum::{
    Router,
    extract::Request,
    http::{
        HeaderName, HeaderValue, Method,
        header::{
            self, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    middleware::{Next, from_fn, from_fn_with_state, map_response},
    response::Response,
    routing::{get, post},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{Any, CorsLayer},
};

use crate::{
    endpoints::{
        account, authorize, consent, device, device_authorization, end_session, health, home,
        introspect, jwks, logo, metadata, par, ready, register, revocations, revoke, scim, sign_in,
        sign_out, style, token, userinfo,
    },
    error_response::PageError,
    middleware::{deadline, envelope, fetch_loop, pages, provisioning_client, same_origin},
    oauth::OAuthError,
    state::AppState,
};

/// All routes of the authorization server.
pub fn router(state: AppState) -> Router {
    let for_programs = Router::new()
        .merge(for_programs())
        .route("/introspect", post(introspect::post).layer(map_response(uncached)))
        .layer(from_fn(fetch_loop::refuse))
        .merge(documents());
    let for_programs = contained(for_programs, deadline::explain_to_programs);
    let for_provisioning = state.scim.as_ref().map(|_| for_provisioning(&state));
    Router::new()
        .merge(for_programs)
        .merge(for_provisioning.unwrap_or_default())
        .merge(for_people(&state))
        .route("/health", get(health::get))
        .route("/ready", get(ready::get))
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(state.clone(), envelope::surround))
        .with_state(state)
}

/// What anyone may read, from any origin. Clients look for metadata in several places: some insert
/// the path of the resource or of the issuer, some append the well-known path to it.
fn documents() -> Router<AppState> {
    let mut router =
        Router::new().route("/jwks", get(jwks::get)).route("/revocations", get(revocations::get));
    for name in ["oauth-authorization-server", "openid-configuration"] {
        router = router
            .route(&format!("/.well-known/{name}"), get(metadata::get))
            .route(&format!("/.well-known/{name}/{{*path}}"), get(metadata::get))
            .route(&format!("/{{path}}/.well-known/{name}"), get(metadata::get));
    }
    router.layer(cors([Method::GET]))
}

/// What clients call, browser clients among them.
fn for_programs() -> Router<AppState> {
    Router::new()
        .route("/register", post(register::post))
        .route(
            "/register/{client_id}",
            get(register::configuration::get)
                .put(register::configuration::put)
                .delete(register::configuration::delete),
        )
        .route("/token", post(token::post))
        .route("/par", post(par::post))
        .route("/device_authorization", post(device_authorization::post))
        .route("/revoke", post(revoke::post))
        .route("/userinfo", get(userinfo::get).post(userinfo::get))
        .layer(map_response(uncached))
        .layer(cors([Method::GET, Method::POST, Method::PUT, Method::DELETE]))
}

/// What only the provisioning system calls.
fn for_provisioning(state: &AppState) -> Router<AppState> {
    let routes = Router::new()
        .route("/ServiceProviderConfig", get(scim::service_provider_config::get))
        .route("/ResourceTypes", get(scim::resource_types::list))
        .route("/ResourceTypes/{id}", get(scim::resource_types::get))
        .route("/Schemas", get(scim::schemas::list))
        .route("/Schemas/{id}", get(scim::schemas::get))
        .route("/Users", get(scim::users::list).post(scim::users::post))
        .route(
            "/Users/{id}",
            get(scim::users::get)
                .put(scim::users::put)
                .patch(scim::users::patch)
                .delete(scim::users::delete),
        )
        .route("/Groups", get(scim::groups::list).post(scim::groups::post))
        .route(
            "/Groups/{id}",
            get(scim::groups::get)
                .put(scim::groups::put)
                .patch(scim::groups::patch)
                .delete(scim::groups::delete),
        )
        .fallback(scim::nothing_here)
        .method_not_allowed_fallback(scim::wrong_method)
        .layer(from_fn_with_state(state.clone(), provisioning_client::require))
        .layer(map_response(uncached));
    Router::new().nest("/scim/v2", contained(routes, deadline::explain_to_provisioning))
}

/// Pages and forms. The referrer policy is `same-origin`, because under `no-referrer` browsers would
/// send our own forms with `Origin: null`. There is no `Cross-Origin-Opener-Policy`: it would cut the
/// pages off from programs that open a sign-in in a window of their own and wait for it.
fn for_people(state: &AppState) -> Router<AppState> {
    let logo_path = state.documents.logo.as_ref().map_or("/logo", |logo| &logo.path);
    let routes = Router::new()
        .route("/", get(home::get))
        .route("/account", get(account::get))
        .route("/account/revoke", post(account::revoke::post))
        .route("/account/sessions", post(account::sessions::post))
        .route("/account/identities", post(account::identities::post))
        .route("/account/export", get(account::export::get))
        .route("/account/delete", get(account::delete::get).post(account::delete::post))
        .route("/consent", get(consent::get).post(consent::post))
        .route("/device", get(device::get).post(device::post))
        .route("/sign-in", get(sign_in::get))
        .route("/sign-in/{provider}", post(sign_in::provider::post))
        .route("/sign-in/{provider}/link", post(sign_in::link::post))
        .route("/sign-in/{provider}/callback", get(sign_in::callback::get))
        .route("/sign-out", post(sign_out::post))
        .route(state.brand.style_path(), get(style::get))
        .route(logo_path, get(logo::get))
        .layer(from_fn(same_origin::refuse_frames))
        .route("/authorize", get(authorize::get))
        .fallback(nothing_here)
        .layer(from_fn_with_state(state.clone(), same_origin::require))
        // Other sites send people here, by either method.
        .route("/end_session", get(end_session::get).post(end_session::post))
        .layer(from_fn(fetch_loop::refuse));
    contained(routes, deadline::explain_to_people)
        .layer(from_fn_with_state(state.clone(), pages::draw))
        .layer(map_response(with_page_headers))
}

/// Adds the headers of pages where the handler has not set them.
async fn with_page_headers(mut response: Response) -> Response {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, web::CONTENT_SECURITY_POLICY),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    uncached(response).await
}

/// Forbids caching, unless the handler has set `Cache-Control`.
async fn uncached(mut response: Response) -> Response {
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Contains panics: a handler that panics fails its own request alone, with a refusal like any other.
fn contained<S, F, Fut>(routes: Router<S>, explain: F) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    F: Fn(Request, Next) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    routes.layer(CatchPanicLayer::new()).layer(from_fn(explain))
}

async fn nothing_here() -> PageError {
    PageError::from(OAuthError::not_found())
}

fn cors<const N: usize>(methods: [Method; N]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(methods)
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            HeaderName::from_static("dpop"),
            HeaderName::from_static("mcp-protocol-version"),
        ])
        .expose_headers([
            header::WWW_AUTHENTICATE,
            header::RETRY_AFTER,
            HeaderName::from_static("dpop-nonce"),
        ])
        .max_age(Duration::from_secs(3600))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    async fn panics() -> &'static str {
        panic!("what only this side knows")
    }

    #[tokio::test]
    async fn a_handler_that_panics_tells_nothing_and_the_next_request_is_served() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes =
            Router::new().route("/panics", get(panics)).route("/fine", get(async || "fine"));
        let router = contained(routes, deadline::explain_to_programs);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.get(format!("{base}/panics")).send().await.unwrap();
        assert_eq!(answer.status(), 500);
        let text = answer.text().await.unwrap();
        assert!(text.contains("server_error") && !text.contains("only this side"), "{text}");
        let answer = http.get(format!("{base}/fine")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "fine");
    }
}
