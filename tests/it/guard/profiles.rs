//! Access tokens of identity providers, shaped after their documentation: each is accepted by the profile of
//! its provider, and none without it.

use std::net::Ipv4Addr;

use axum::{Json, extract::Request, routing::post};
use guard::{Caller, Guard, Profile};
use net::clock::Clock;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::{Answer, http},
        foreign_key::ForeignKey,
    },
    servers::document_server::{Document, DocumentServer},
};
use tokio::net::TcpListener;

const RESOURCE: &str = "https://mcp.example.com/mcp";
/// What names the resource where a provider knows no URLs.
const CLIENT: &str = "3f2a9c1e-client";
const API: &str = "api://9b5c-mcp";

/// A token of a provider: the header besides `alg`, and the claims besides `iss`, `exp` and `sub`.
struct Sample {
    profile: Profile,
    algorithm: &'static str,
    header: Value,
    claims: Value,
    client: &'static str,
}

impl Sample {
    fn new(profile: Profile, header: Value, claims: Value, client: &'static str) -> Self {
        Self { profile, algorithm: "RS256", header, claims, client }
    }
}

fn keycloak() -> Sample {
    // https://www.keycloak.org/docs/latest/server_admin/#_audience
    let header = json!({"typ": "JWT", "kid": "key"});
    let claims = json!({"jti": "onrtac:1", "iat": 0, "aud": [RESOURCE, "account"], "typ": "Bearer",
        "azp": "my-client", "sid": "s", "acr": "1", "allowed-origins": ["https://app.example.com"],
        "realm_access": {"roles": ["offline_access"]}, "scope": "openid mcp:tools email",
        "email_verified": true, "preferred_username": "nick"});
    Sample::new(Profile::Keycloak, header, claims, "my-client")
}

fn samples() -> Vec<Sample> {
    let services = samples_of_services();
    services.into_iter().chain(samples_of_servers()).collect()
}

fn samples_of_services() -> Vec<Sample> {
    vec![
        // https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
        Sample::new(
            Profile::Auth0,
            json!({"typ": "JWT", "kid": "key"}),
            json!({"aud": [RESOURCE, "ISSUER/userinfo"], "iat": 0, "scope": "openid mcp:tools",
                "azp": "my-client", "permissions": ["mcp:tools"]}),
            "my-client",
        ),
        // https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
        Sample::new(
            Profile::Entra,
            json!({"typ": "JWT", "kid": "key", "x5t": "key"}),
            json!({"aud": CLIENT, "iat": 0, "nbf": 0, "azp": "my-client", "azpacr": "0", "name": "Nick",
                "oid": "o", "preferred_username": "nick@example.com", "rh": "r", "scp": "mcp:tools",
                "tid": "t", "uti": "u", "ver": "2.0"}),
            "my-client",
        ),
        Sample::new(
            Profile::Entra,
            json!({"typ": "JWT", "kid": "key", "x5t": "key"}),
            json!({"aud": API, "iat": 0, "nbf": 0, "acr": "1", "amr": ["pwd"], "appid": "my-client",
                "appidacr": "0", "scp": "mcp:tools", "tid": "t", "unique_name": "nick", "ver": "1.0"}),
            "my-client",
        ),
        // https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/#access-token
        Sample::new(
            Profile::Okta,
            json!({"kid": "key"}),
            json!({"ver": 1, "jti": "AT.1", "aud": RESOURCE, "iat": 0, "cid": "my-client", "uid": "u",
                "scp": ["mcp:tools", "profile"], "auth_time": 0}),
            "my-client",
        ),
        // https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
        Sample::new(
            Profile::Cognito,
            json!({"kid": "key"}),
            json!({"client_id": CLIENT, "origin_jti": "o", "event_id": "e", "token_use": "access",
                "scope": "mcp:tools", "auth_time": 0, "iat": 0, "jti": "1", "username": "nick"}),
            CLIENT,
        ),
    ]
}

fn samples_of_servers() -> Vec<Sample> {
    vec![
        keycloak(),
        // https://docs.duendesoftware.com/identityserver/tokens/
        Sample::new(
            Profile::Duende,
            json!({"typ": "at+jwt", "kid": "key"}),
            json!({"nbf": 0, "iat": 0, "aud": RESOURCE, "scope": ["mcp:tools", "profile"],
                "amr": ["pwd"], "client_id": "my-client", "auth_time": 0, "idp": "local", "jti": "1"}),
            "my-client",
        ),
        // https://docs.spring.io/spring-authorization-server/reference/guides/
        Sample::new(
            Profile::Spring,
            json!({"kid": "key"}),
            json!({"aud": CLIENT, "nbf": 0, "scope": ["mcp:tools"], "iat": 0, "jti": "1"}),
            CLIENT,
        ),
        // https://www.ory.com/docs/oauth2-oidc/jwt-access-token
        Sample::new(
            Profile::Hydra,
            json!({"typ": "JWT", "kid": "key"}),
            json!({"aud": [RESOURCE], "client_id": "my-client", "ext": {}, "iat": 0, "jti": "1",
                "nbf": 0, "scp": ["mcp:tools", "offline_access"]}),
            "my-client",
        ),
        // https://docs.logto.io/authorization/validate-access-tokens
        Sample {
            algorithm: "ES384",
            ..Sample::new(
                Profile::Logto,
                json!({"typ": "at+jwt", "kid": "key"}),
                json!({"jti": "1", "iat": 0, "aud": RESOURCE, "client_id": "my-client",
                    "scope": "mcp:tools"}),
                "my-client",
            )
        },
        // https://zitadel.com/docs/apis/openidoauth/claims
        Sample::new(
            Profile::Zitadel,
            json!({"typ": "JWT", "kid": "key"}),
            json!({"aud": [RESOURCE, "259242039378444290@project", "259241944654282754"], "iat": 0,
                "nbf": 0, "jti": "1", "client_id": "my-client", "scope": "openid mcp:tools"}),
            "my-client",
        ),
        // https://docs.goauthentik.io/add-secure-apps/providers/oauth2/
        Sample::new(
            Profile::Authentik,
            json!({"typ": "JWT", "kid": "key"}),
            json!({"aud": CLIENT, "iat": 0, "auth_time": 0, "acr": "goauthentik.io/providers/oauth2/default",
                "amr": ["pwd"], "azp": CLIENT, "uid": "u", "jti": "1", "scope": "openid mcp:tools"}),
            CLIENT,
        ),
    ]
}

/// A provider that signs with one key.
struct Provider {
    documents: DocumentServer,
    key: ForeignKey,
}

impl Provider {
    async fn start(algorithm: &'static str) -> Self {
        let (documents, key) = (DocumentServer::start().await, ForeignKey::generate(algorithm));
        let metadata = json!({"issuer": documents.url, "jwks_uri": documents.at("/keys")});
        documents.put("/.well-known/openid-configuration", Document::json(&metadata));
        let provider = Self { documents, key };
        provider.publish(&provider.key.jwk());
        provider
    }

    fn publish(&self, jwk: &Value) {
        self.documents.put("/keys", Document::json(&json!({"keys": [jwk]})));
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let now = Clock::system().now();
        let mut all = json!({"iss": self.documents.url, "exp": now + 3600, "sub": "nick"});
        for (name, value) in claims.as_object().unwrap() {
            let is_time = ["iat", "nbf", "auth_time"].contains(&name.as_str());
            all[name] = if is_time { json!(now) } else { value.clone() };
        }
        let all = all.to_string().replace("ISSUER", &self.documents.url);
        self.key.sign(header, &serde_json::from_str(&all).unwrap())
    }

    /// A server whose guard has this profile.
    async fn guarded(&self, profile: Profile) -> Guarded {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let guard = Guard::new(RESOURCE, [&self.documents.url])
            .with_profile(profile)
            .with_audiences([CLIENT, API])
            .with_allowed_hosts(["127.0.0.1"])
            .with_scopes(["mcp:tools"])
            .build()
            .unwrap();
        let shown = async |caller: Caller, _: Request| {
            Json(json!({"user": caller.subject, "client": caller.client_id}))
        };
        let router = guard.protect(post(shown));
        tokio::spawn(mcp::serve(listener, router, std::future::pending()));
        Guarded { url }
    }
}

struct Guarded {
    url: String,
}

impl Guarded {
    async fn call(&self, token: &str) -> Answer {
        let call =
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a"}});
        Answer::of(http().post(&self.url).bearer_auth(token).json(&call)).await
    }
}

#[tokio::test]
async fn the_tokens_of_each_provider_are_accepted_by_its_profile_and_by_no_other_means() {
    let profiles: Vec<Profile> = samples().iter().map(|sample| sample.profile).collect();
    let missing = Profile::ALL.iter().filter(|profile| !profiles.contains(profile));
    assert_eq!(missing.collect::<Vec<_>>(), [&Profile::Rfc9068]);
    for Sample { profile, algorithm, header, claims, client } in samples() {
        let provider = Provider::start(algorithm).await;
        let token = provider.token(&header, &claims);
        let answer = provider.guarded(profile).await.call(&token).await;
        assert_eq!(answer.json, json!({"user": "nick", "client": client}), "{profile}");
        let strict = provider.guarded(Profile::Rfc9068).await.call(&token).await;
        assert!([401, 503].contains(&strict.status.as_u16()), "{profile}: {}", strict.json);
    }
}

#[tokio::test]
async fn with_no_profile_is_issuer_audience_expiry_scope_or_signature_left_out() {
    for Sample { profile, algorithm, header, claims, .. } in samples() {
        let provider = Provider::start(algorithm).await;
        let guarded = provider.guarded(profile).await;
        let changed = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            provider.token(&header, &claims)
        };
        // Where the audience is the client, the client is changed too.
        let other = if profile == Profile::Cognito { "client_id" } else { "aud" };
        for (token, status) in [
            (changed(other, json!("https://other.example.com")), 401),
            (changed("iss", json!("https://other.example.com")), 401),
            (changed("exp", json!(1)), 401),
            (changed("nonce", json!("n")), 401),
            (changed("sub", json!("")), 401),
            (changed("scope", json!("other")), 403),
        ] {
            let scp = claims.get("scp").is_some() && status == 403;
            let (token, status) =
                if scp { (changed("scp", json!(["other"])), 403) } else { (token, status) };
            let answer = guarded.call(&token).await;
            assert_eq!(answer.status, status, "{profile}: {}", answer.json);
        }
        let stranger = Provider::start(algorithm).await;
        let mut posing = claims.clone();
        posing["iss"] = json!(provider.documents.url);
        let token = stranger.token(&header, &posing);
        assert_eq!(guarded.call(&token).await.status, 401, "{profile}");
    }
}

#[tokio::test]
async fn an_id_token_of_a_provider_is_not_an_access_token() {
    for (profile, header, claims) in [
        // Of a client that is also the audience, because the operator has written it down.
        (
            Profile::Keycloak,
            json!({"typ": "JWT", "kid": "key"}),
            json!({"aud": CLIENT, "typ": "ID", "azp": CLIENT, "iat": 0, "jti": "1"}),
        ),
        (
            Profile::Cognito,
            json!({"kid": "key"}),
            json!({"aud": CLIENT, "token_use": "id", "client_id": CLIENT, "iat": 0, "jti": "1"}),
        ),
        (
            Profile::Entra,
            json!({"typ": "JWT", "kid": "key"}),
            json!({"aud": CLIENT, "azp": CLIENT, "iat": 0, "ver": "2.0"}),
        ),
        (
            Profile::Okta,
            json!({"kid": "key"}),
            json!({"aud": CLIENT, "ver": 1, "jti": "ID.1", "iat": 0, "idp": "i"}),
        ),
        (
            Profile::Auth0,
            json!({"typ": "JWT", "kid": "key"}),
            json!({"aud": CLIENT, "azp": CLIENT, "iat": 0, "nonce": "n"}),
        ),
    ] {
        let provider = Provider::start("RS256").await;
        let token = provider.token(&header, &claims);
        let answer = provider.guarded(profile).await.call(&token).await;
        assert_eq!(answer.status, 401, "{profile}: {}", answer.json);
    }
}

#[tokio::test]
async fn every_asymmetric_algorithm_is_accepted_with_a_profile_also_of_keys_without_name_and_algorithm()
 {
    let all = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
        "Ed25519",
    ];
    for algorithm in all {
        let provider = Provider::start(algorithm).await;
        let sample = keycloak();
        let token = provider.token(&sample.header, &sample.claims);
        let guarded = provider.guarded(Profile::Keycloak).await;
        assert_eq!(guarded.call(&token).await.status, 200, "{algorithm}");
    }
    for algorithm in ["RS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"] {
        let provider = Provider::start(algorithm).await;
        let mut jwk = provider.key.jwk();
        jwk.as_object_mut()
            .unwrap()
            .retain(|name, _| !["kid", "alg", "use"].contains(&name.as_str()));
        provider.publish(&jwk);
        let sample = keycloak();
        let token = provider.token(&json!({"typ": "JWT"}), &sample.claims);
        let guarded = provider.guarded(Profile::Keycloak).await;
        assert_eq!(guarded.call(&token).await.status, 200, "{algorithm}");
    }
}

#[test]
fn a_profile_is_known_by_its_name_and_says_what_it_relaxes() {
    for profile in Profile::ALL {
        assert_eq!(profile.to_string().parse(), Ok(profile));
        assert_eq!(profile.relaxations() == "nothing", profile == Profile::Rfc9068);
    }
    let refused = "keycloack".parse::<Profile>().unwrap_err();
    assert!(refused.contains("write one of rfc9068, authentik"), "{refused}");
}
