//! What the suite's client scenarios ask of a client, done with the `client` library. The names of
//! scenarios are known here and nowhere else.

use std::{sync::Arc, time::Duration};

use clap::Parser;
use client::{
    Browser, Client, ClientKey, ConnectionOptions, Conversation, Credentials, DpopChoice, Error,
    Explanation, Identity, IdentityProvider, Interaction, Output, PreRegistered, Profile, Protocol,
    Received, Secret, SignInMethod, list_skills, load_skill,
};
use futures::future::{BoxFuture, FutureExt as _};
use net::clock::Clock;
use rmcp::model::{
    ElicitRequestParams, ElicitResult, ElicitationAction, GetPromptRequestParams,
    ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams,
};
use serde_json::{Map, Value, json};
use url::Url;

/// The document that the suite expects a client to be known by.
const METADATA_DOCUMENT: &str = "https://conformance-test.local/client-metadata.json";

/// What the suite hands over.
#[derive(Debug, Parser)]
pub struct Assignment {
    /// The scenario.
    #[arg(long, env = "MCP_CONFORMANCE_SCENARIO")]
    scenario: String,
    /// The revision that its server speaks.
    #[arg(long, env = "MCP_CONFORMANCE_PROTOCOL_VERSION")]
    protocol: String,
    /// What the scenario has agreed upon beforehand, as JSON.
    #[arg(long, env = "MCP_CONFORMANCE_CONTEXT", default_value = "{}")]
    context: String,
    /// The server.
    server: Url,
}

/// Does what the scenario asks for.
///
/// # Errors
/// [`Error`] when the client gives up.
pub async fn carry_out(assignment: Assignment) -> Result<(), Error> {
    let context: Value = serde_json::from_str(&assignment.context).expect("JSON");
    let state = tempfile::tempdir().expect("a directory");
    let mut client = Client::new(ConnectionOptions {
        server: assignment.server.clone(),
        credentials: Credentials::new(state.path().to_owned()),
        clock: Clock::system(),
        interaction: interaction(),
        conversation: Arc::new(Agreeable),
        received: Received::new(std::env::temp_dir()),
        profile: profile(&assignment, &context),
    })?;
    let outcome = perform(&mut client, &assignment.scenario, &context).await;
    client.disconnect().await;
    outcome
}

fn interaction() -> Interaction {
    let streams = client::Streams::standard();
    Interaction {
        output: Arc::new(Output::new(streams, false, false)),
        may_ask: true,
        may_paste: false,
        browser: Browser::BuiltIn(Arc::new(open)),
        timeout: Duration::from_secs(20),
        explanation: Explanation::default(),
    }
}

/// A browser without a person: it follows redirects, the last of which leads to the client.
fn open(url: &Url) {
    let url = url.clone();
    let browser = reqwest::Client::builder().no_proxy().build().expect("a browser");
    tokio::spawn(async move { browser.get(url).send().await });
}

fn profile(assignment: &Assignment, context: &Value) -> Profile {
    let text = |name: &str| context[name].as_str().map(str::to_owned);
    let known = ProtocolVersion::KNOWN_VERSIONS.iter();
    let protocol = known.clone().find(|version| version.as_str() == assignment.protocol);
    let key = text("private_key_pem")
        .map(|pem| ClientKey::parse(&Secret::new(pem)).expect("a private key"));
    let pre_registered = text("client_id").map(|client_id| PreRegistered {
        client_id,
        secret: text("client_secret").map(Secret::new),
        key,
    });
    Profile {
        protocol: Protocol::Only(protocol.expect("a known revision").clone()),
        identity: Identity {
            pre_registered,
            metadata_document: Some(METADATA_DOCUMENT.parse().expect("a URL")),
            ..Identity::default()
        },
        method: method(&assignment.scenario, &text),
        dpop: DpopChoice::Auto,
        ..Profile::default()
    }
}

fn method(scenario: &str, text: &impl Fn(&str) -> Option<String>) -> SignInMethod {
    if let Some(id_token) = text("idp_id_token") {
        let endpoint = text("idp_token_endpoint").expect("an identity provider");
        return SignInMethod::Enterprise(IdentityProvider {
            token_endpoint: endpoint.parse().expect("a URL"),
            client_id: text("idp_client_id").expect("a client"),
            client_secret: None,
            id_token: Secret::new(id_token),
        });
    }
    if let Some(assertion) = text("valid_jwt") {
        return SignInMethod::Workload(Secret::new(assertion));
    }
    if scenario.starts_with("auth/client-credentials") {
        SignInMethod::ClientCredentials
    } else {
        SignInMethod::Browser
    }
}

async fn perform(client: &mut Client, scenario: &str, context: &Value) -> Result<(), Error> {
    match scenario {
        "tools_call" => call(client, "add_numbers", json!({"a": 5, "b": 3})).await,
        "http-custom-headers" => {
            for one in context["toolCalls"].as_array().expect("calls") {
                let name = one["name"].as_str().expect("a name");
                call(client, name, one["arguments"].clone()).await?;
            }
            Ok(())
        }
        "http-invalid-tool-headers" => call(client, "valid_tool", json!({"region": "a"})).await,
        "http-standard-headers" => use_everything(client).await,
        "json-schema-2020-12-preservation" => {
            let tool = client.tool("json_schema_2020_12_tool").await?;
            call(client, "json_schema_echo", json!({"schema": *tool.input_schema})).await
        }
        "json-schema-ref-no-deref" => client.list_tools().await.map(drop),
        "sep-2640-client-no-prefetch" => list_skills(client).await.map(drop),
        name if name.starts_with("sep-2640-client-") => {
            for one in list_skills(client).await? {
                load_skill(client, &one).await?;
            }
            Ok(())
        }
        _ => call_every_tool(client).await,
    }
}

async fn call(client: &mut Client, name: &str, arguments: Value) -> Result<(), Error> {
    let tool = client.tool(name).await?;
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    client.call_tool(&tool, arguments).await.map(drop)
}

async fn call_every_tool(client: &mut Client) -> Result<(), Error> {
    for tool in client.list_tools().await?.to_vec() {
        client.call_tool(&tool, Map::new()).await?;
    }
    Ok(())
}

async fn use_everything(client: &mut Client) -> Result<(), Error> {
    call_every_tool(client).await?;
    let resources = client.request(async |running| running.list_all_resources().await).await?;
    for resource in resources {
        let asked = ReadResourceRequestParams::new(resource.uri.clone());
        client.request(async |running| running.read_resource(asked.clone()).await).await?;
    }
    let prompts = client.request(async |running| running.list_all_prompts().await).await?;
    for prompt in prompts {
        let asked = GetPromptRequestParams::new(prompt.name.clone());
        client.request(async |running| running.get_prompt(asked.clone()).await).await?;
    }
    Ok(())
}

/// A person who accepts every form with what it suggests.
struct Agreeable;

impl Conversation for Agreeable {
    fn can_answer(&self) -> bool {
        true
    }

    fn elicit<'a>(
        &'a self,
        _: &'a str,
        question: ElicitRequestParams,
    ) -> BoxFuture<'a, ElicitResult> {
        let answer = ElicitResult::new(ElicitationAction::Accept);
        let answer = match suggested(&question) {
            Some(content) => answer.with_content(content),
            None => answer,
        };
        async { answer }.boxed()
    }

    fn progress(&self, _: ProgressNotificationParam) {}
}

/// Every field's default; where there is none, something of its type.
fn suggested(question: &ElicitRequestParams) -> Option<Value> {
    let question = serde_json::to_value(question).expect("JSON");
    let fields = question["requestedSchema"]["properties"].as_object()?;
    let answer = fields.iter().map(|(name, schema)| {
        let value = match (&schema["default"], schema["type"].as_str()) {
            (Value::Null, Some("boolean")) => json!(true),
            (Value::Null, Some("integer" | "number")) => json!(1),
            (Value::Null, _) => json!("test"),
            (default, _) => default.clone(),
        };
        (name.clone(), value)
    });
    Some(Value::Object(answer.collect()))
}
