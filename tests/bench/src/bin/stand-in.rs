//! A stand-in for GitHub, as small as `auth` lets it be: every code is the name of a user, and so is
//! the token for it.

use std::{env, error::Error};

use axum::{
    Form, Json, Router,
    http::{HeaderMap, header::AUTHORIZATION},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Deserialize)]
struct Exchange {
    code: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT")?;
    let router = Router::new()
        .route("/login/oauth/access_token", post(token))
        .route("/user", get(user))
        .route("/user/emails", get(emails));
    axum::serve(TcpListener::bind(format!("127.0.0.1:{port}")).await?, router).await?;
    Ok(())
}

async fn token(Form(Exchange { code }): Form<Exchange>) -> Json<Value> {
    Json(json!({"access_token": code, "token_type": "bearer", "scope": "read:user,user:email"}))
}

async fn user(headers: HeaderMap) -> Json<Value> {
    let name = name(&headers);
    let id = name.bytes().fold(7_u64, |id, byte| id.wrapping_mul(31) + u64::from(byte)) >> 16;
    Json(json!({"id": id, "login": name, "name": "A user", "avatar_url": null}))
}

async fn emails(headers: HeaderMap) -> Json<Value> {
    let email = format!("{}@example.com", name(&headers));
    Json(json!([{"email": email, "primary": true, "verified": true}]))
}

fn name(headers: &HeaderMap) -> &str {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}
