//! The server that the official conformance suite expects: its named tools, prompts, resources and
//! skills, behind the real guard.
#![expect(deprecated, reason = "the suite still asks for logging on older wires")]

pub mod client;
mod content;
mod conversation;
mod documents;
mod jobs;
mod prompts;
mod rounds;
mod skills;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, extract::Request, http::HeaderValue, middleware, response::Response};
use guard::{Caller, Guard, GuardError, OwnedTasks, RequestStates};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams,
        CompleteRequestParams, CompleteResult, GetPromptRequestParams, GetPromptResponse,
        GetSkillRequestParams, GetSkillResult, GetTaskParams, GetTaskResult, Implementation,
        JsonObject, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListSkillsResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceDirectoryRequestParams, ReadResourceDirectoryResult, ReadResourceRequestParams,
        ReadResourceResponse, ServerCapabilities, ServerConfig, SetLevelRequestParams,
        SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
        UpdateTaskParams,
    },
    service::{RequestContext, SubscriptionContext, SubscriptionSink},
    transport::streamable_http_server::{
        StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::Value;

/// Milliseconds that lists and documents may be kept.
const CACHE_TTL: u64 = 60_000;

/// The server. Cheap to clone.
#[derive(Clone)]
pub struct Fixture(Arc<State>);

struct State {
    tasks: OwnedTasks,
    states: RequestStates,
    listeners: Mutex<HashMap<u64, SubscriptionSink>>,
    listened: AtomicU64,
    sessions: Arc<LocalSessionManager>,
}

/// The fixture behind the guard, at `resource`. The suite cannot send a token, so `token` is added
/// to each request that has none.
pub fn router(resource: &str, issuer: &str, token: &str) -> Result<Router, GuardError> {
    let guard =
        Guard::new(resource, [issuer]).with_scopes(["mcp:tools", "profile", "email"]).build()?;
    let sessions = Arc::new(LocalSessionManager::default());
    let fixture = Fixture(Arc::new(State {
        tasks: OwnedTasks::default(),
        states: RequestStates::with_random_key()?,
        listeners: Mutex::default(),
        listened: AtomicU64::default(),
        sessions: sessions.clone(),
    }));
    // The suite wants to see streams, even where plain JSON would be enough.
    let transport = guard.transport().with_json_response(false);
    let service = StreamableHttpService::new(move || Ok(fixture.clone()), sessions, transport);
    let authorization = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
    Ok(guard.protect(service).layer(middleware::from_fn(
        move |mut request: Request, next: middleware::Next| {
            request.headers_mut().entry("authorization").or_insert(authorization.clone());
            async move { Response::from(next.run(request).await) }
        },
    )))
}

impl Fixture {
    fn listeners(&self) -> MutexGuard<'_, HashMap<u64, SubscriptionSink>> {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tools() -> Vec<Tool> {
        [content::tools(), conversation::tools(), rounds::tools(), jobs::tools()].concat()
    }
}

/// A tool of this name, with the schema of its arguments.
fn tool(name: &'static str, description: &'static str, schema: Value) -> Tool {
    Tool::new(name, description, object(schema))
}

/// A tool that takes nothing.
fn plain_tool(name: &'static str, description: &'static str) -> Tool {
    tool(name, description, serde_json::json!({"type": "object", "properties": {}}))
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(members) => members,
        _ => JsonObject::new(),
    }
}

fn text(words: impl Into<String>) -> CallToolResponse {
    use rmcp::model::{CallToolResult, ContentBlock};
    CallToolResult::success(vec![ContentBlock::text(words)]).into()
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities::builder()
        .enable_logging()
        .enable_completions()
        .enable_prompts()
        .enable_prompts_list_changed()
        .enable_resources()
        .enable_resources_list_changed()
        .enable_resources_subscribe()
        .enable_tools()
        .enable_tool_list_changed()
        .enable_tasks()
        .enable_skills_with_directory_read()
        .build()
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(capabilities());
        info.server_info = Implementation::new("portcullis-conformance", "1.0.0");
        info
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        Self::tools().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let list = ListToolsResult::with_all_items(Self::tools());
        Ok(list.with_ttl_ms(CACHE_TTL).with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.to_string();
        if let Some(answer) = content::call(&request) {
            return answer;
        }
        if let Some(answer) = rounds::call(self, &request, &context)? {
            return Ok(answer);
        }
        if let Some(answer) = jobs::call(self, &request, &context).await? {
            return Ok(answer);
        }
        let answer = conversation::call(self, request, &context).await?;
        answer.ok_or_else(|| ErrorData::invalid_params(format!("no tool {name:?}"), None))
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let list = ListPromptsResult::with_all_items(prompts::prompts());
        Ok(list.with_ttl_ms(CACHE_TTL).with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(&request)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        prompts::complete(&request)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let list = ListResourcesResult::with_all_items(documents::resources());
        Ok(list.with_ttl_ms(CACHE_TTL).with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let list = ListResourceTemplatesResult::with_all_items(documents::templates());
        Ok(list.with_ttl_ms(CACHE_TTL).with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        documents::read(&request.uri)
    }

    async fn subscribe(
        &self,
        _: SubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn set_level(
        &self,
        _: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        wanted: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(wanted.supported_by(&capabilities()))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let key = self.0.listened.fetch_add(1, Ordering::Relaxed);
        self.listeners().insert(key, context.sink().clone());
        context.cancelled().await;
        self.listeners().remove(&key);
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let caller = Caller::from_context(&context)?;
        self.0.tasks.get(&caller, &request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let caller = Caller::from_context(&context)?;
        self.0.tasks.update(&caller, &request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.tasks.cancel(&Caller::from_context(&context)?, &request.task_id)
    }

    async fn list_skills(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        let list = ListSkillsResult::with_all_items(vec![skills::skill()]);
        Ok(list.with_ttl_ms(CACHE_TTL).with_cache_scope(CacheScope::Public))
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        skills::get(&request.uri)
    }

    async fn read_resource_directory(
        &self,
        request: ReadResourceDirectoryRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceDirectoryResult, ErrorData> {
        skills::read_directory(&request.uri)
    }
}
