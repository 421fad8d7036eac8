//! A provisioning system that sends what a test tells it to.

use std::fs;

use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH},
};
use serde_json::{Value, json};

use super::client::{Answer, http};
use crate::stack::{Engine, Stack, config_file};

/// The secret of the provisioning system.
pub const SECRET: &str = "a-secret-of-the-provisioning-system-0123456789";

/// A provisioning system.
pub struct Scim {
    base: String,
    http: reqwest::Client,
}

/// A stack with a provisioning system whose users are matched by `match_by`, with `[access]` if it is
/// not null.
pub async fn stack(engine: Engine, match_by: &Value, access: &Value) -> Stack {
    stack_with(engine, match_by, access, &[]).await
}

/// The same with further options of `auth`.
pub async fn stack_with(
    engine: Engine,
    match_by: &Value,
    access: &Value,
    options: &[&str],
) -> Stack {
    let folder = tempfile::tempdir().expect("a directory");
    let secret = folder.path().join("scim.secret");
    fs::write(&secret, format!("{SECRET}\n")).expect("a secret");
    let scim = json!({"secret_file": secret, "upstream": "github", "match_by": match_by});
    let mut document = json!({ "scim": scim });
    if !access.is_null() {
        document["access"] = access.clone();
    }
    let file = config_file::write(&folder.path().join("portcullis.toml"), &document);
    let options = [options, &file.each_ref().map(String::as_str)].concat();
    Stack::on_with(engine, &options).await
}

impl Scim {
    pub fn of(stack: &Stack) -> Self {
        Self { base: stack.at("/scim/v2"), http: http() }
    }

    /// Sends a request with the secret.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.send_with(method, path, body, &[(AUTHORIZATION.as_str(), &format!("Bearer {SECRET}"))])
            .await
    }

    /// Sends a request with these headers alone.
    pub async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/scim+json").body(body.to_string());
        }
        Answer::of(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Sends operations as a patch.
    pub async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations});
        self.send(Method::PATCH, path, Some(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Changes a resource only if it still has this entity tag.
    pub async fn send_if_match(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        tag: &str,
    ) -> Answer {
        let authorization = format!("Bearer {SECRET}");
        let headers = [(AUTHORIZATION.as_str(), &*authorization), (IF_MATCH.as_str(), tag)];
        self.send_with(method, path, body, &headers).await
    }

    /// Creates a user of this name, and returns its id.
    pub async fn create_user(&self, user_name: &str) -> String {
        let created = self.post("/Users", &json!({"userName": user_name})).await;
        assert_eq!(created.status, 201, "{}", created.json);
        created.text("id").to_owned()
    }

    /// Creates a group with these members, and returns its id.
    pub async fn create_group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let created = self.post("/Groups", &json!({"displayName": name, "members": members})).await;
        assert_eq!(created.status, 201, "{}", created.json);
        created.text("id").to_owned()
    }
}
