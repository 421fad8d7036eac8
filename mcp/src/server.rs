//! The model server, with one of each feature of the protocol.

use std::sync::{Arc, LazyLock};

use guard::{Caller, GuardError, OwnedTasks, RequestStates};
use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    handler::server::{
        prompt::PromptContext,
        router::{prompt::PromptRouter, tool::ToolRouter},
        tool::ToolCallContext,
    },
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams,
        CompleteRequestParams, CompleteResult, GetPromptRequestParams, GetPromptResponse,
        GetTaskParams, GetTaskResult, Implementation, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
        SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
        UpdateTaskParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use url::Url;

use crate::{completion::complete, notes::Notes, resources};

/// The tools. The macro would build this router again for each call.
pub(crate) static TOOLS: LazyLock<ToolRouter<DemoServer>> = LazyLock::new(|| {
    DemoServer::echo_router()
        + DemoServer::whoami_router()
        + DemoServer::add_note_router()
        + DemoServer::count_down_router()
        + DemoServer::book_table_router()
        + DemoServer::review_access_router()
        + DemoServer::write_report_router()
});

/// The prompts.
pub(crate) static PROMPTS: LazyLock<PromptRouter<DemoServer>> =
    LazyLock::new(DemoServer::introduce_router);

/// What the server says about itself. rmcp asks for it with each request.
static INFO: LazyLock<ServerConfig> = LazyLock::new(|| {
    let mut info = ServerConfig::new(capabilities());
    info.server_info = Implementation::new("portcullis-demo", env!("CARGO_PKG_VERSION"));
    info.instructions = Some(
        "echo says your words back to you by name; whoami tells who you are here; add_note keeps \
         a note that notes://mine shows."
            .into(),
    );
    info
});

/// Milliseconds for which clients may cache a list. Lists change with the caller's scopes only.
const LIST_TTL: u64 = 60_000;

fn capabilities() -> ServerCapabilities {
    ServerCapabilities::builder()
        .enable_completions()
        .enable_prompts()
        .enable_resources()
        .enable_resources_subscribe()
        .enable_tools()
        .enable_tasks()
        .build()
}

/// The server. Cheap to clone.
#[derive(Clone)]
pub struct DemoServer(Arc<State>);

/// The state that outlives a request.
pub(crate) struct State {
    pub(crate) notes: Notes,
    pub(crate) tasks: OwnedTasks,
    pub(crate) states: RequestStates,
    /// The page where users manage their grants.
    pub(crate) account: Url,
}

impl DemoServer {
    /// A server whose users manage their grants at `account`.
    ///
    /// # Errors
    /// [`GuardError::Randomness`].
    pub fn new(account: Url) -> Result<Self, GuardError> {
        Ok(Self(Arc::new(State {
            notes: Notes::default(),
            tasks: OwnedTasks::default(),
            states: RequestStates::with_random_key()?,
            account,
        })))
    }

    pub(crate) fn state(&self) -> &State {
        &self.0
    }
}

/// The session id, in revisions before 2026-07-28. Later ones have no sessions.
fn session(context: &RequestContext<RoleServer>) -> &str {
    let parts = context.extensions.get::<Parts>();
    let id = parts.and_then(|parts| parts.headers.get("mcp-session-id")?.to_str().ok());
    id.unwrap_or_default()
}

impl ServerHandler for DemoServer {
    fn get_info(&self) -> ServerConfig {
        INFO.clone()
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        TOOLS.get(name).cloned()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = Caller::from_context(&context)?.visible(TOOLS.list_all());
        let list = ListToolsResult::with_all_items(tools);
        Ok(list.with_ttl_ms(LIST_TTL).with_cache_scope(CacheScope::Private))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        TOOLS.call(ToolCallContext::new(self, request, context)).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompts = Caller::from_context(&context)?.visible(PROMPTS.list_all());
        let list = ListPromptsResult::with_all_items(prompts);
        Ok(list.with_ttl_ms(LIST_TTL).with_cache_scope(CacheScope::Private))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let context = PromptContext::new(self, request.name, request.arguments, context);
        PROMPTS.get_prompt(context).await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let count = self.state().notes.list(&Caller::from_context(&context)?).len();
        complete(&request, count)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = Caller::from_context(&context)?.visible(resources::resources());
        let list = ListResourcesResult::with_all_items(resources);
        Ok(list.with_ttl_ms(LIST_TTL).with_cache_scope(CacheScope::Private))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = Caller::from_context(&context)?.visible(resources::templates());
        let list = ListResourceTemplatesResult::with_all_items(templates);
        Ok(list.with_ttl_ms(LIST_TTL).with_cache_scope(CacheScope::Private))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let caller = Caller::from_context(&context)?;
        resources::read(&request.uri, &caller, &self.state().notes.list(&caller))
    }

    /// `resources/subscribe`, in revisions before 2026-07-28.
    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        resources::check_subscription(&request.uri)?;
        let caller = Caller::from_context(&context)?;
        self.state().notes.subscribe(&caller, session(&context), context.peer.clone());
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.state().notes.unsubscribe(&Caller::from_context(&context)?, session(&context));
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        wanted: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(wanted.supported_by(&capabilities()))
    }

    /// `subscriptions/listen`, since 2026-07-28.
    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let caller = Caller::from_context(context.request_context())?;
        self.state().notes.listen(&caller, &context).await;
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let caller = Caller::from_context(&context)?;
        self.state().tasks.get(&caller, &request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let caller = Caller::from_context(&context)?;
        self.state().tasks.update(&caller, &request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.state().tasks.cancel(&Caller::from_context(&context)?, &request.task_id)
    }
}
