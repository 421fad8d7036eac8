//! The client of one server. If the server refuses a request, it refreshes, signs in or steps up
//! and repeats the request.

use std::sync::Arc;

use rmcp::{
    ServiceError,
    model::{
        CallToolRequestParams, CallToolResult, GetPromptRequestParams, GetPromptResult, JsonObject,
        Prompt, ReadResourceRequestParams, ReadResourceResult, Resource, Tool,
    },
};
use url::Url;

use crate::{
    error::Error,
    files::{listing::Listing, received::Received},
    http::Fetch,
    session::{
        access::Access,
        connection::{Connection, Failure, Running},
        options::ConnectionOptions,
        recovery::Attempts,
    },
    terminal::{
        output::Output,
        printable::{printable_line, shortened},
        suggestion::closest,
    },
};

/// Characters of a description that a shell shows next to a tool.
const MAX_LISTED_ABOUT: usize = 80;

/// A server, the grant for it, and the connection to it.
pub struct Client {
    pub(crate) server: Url,
    pub(crate) output: Arc<Output>,
    pub(crate) access: Access,
    connection: Connection,
    /// What was listed last.
    pub(crate) tools: Vec<Tool>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) prompts: Vec<Prompt>,
}

impl Client {
    /// Prepares to work with a server; nothing is sent yet.
    pub fn new(options: ConnectionOptions) -> Result<Self, Error> {
        let server = options.server.clone();
        let fetch = Fetch::new(&server, options.interaction.explanation.clone())?;
        let output = Arc::clone(&options.interaction.output);
        let conversation = Arc::clone(&options.conversation);
        let profile = options.profile.clone();
        let access = Access::load(options, fetch.clone())?;
        let token = access.token();
        let connection = Connection::new(server.clone(), fetch, token, &profile, conversation);
        Ok(Self {
            server,
            output,
            access,
            connection,
            tools: Vec::new(),
            resources: Vec::new(),
            prompts: Vec::new(),
        })
    }

    /// Lists the tools, and remembers them.
    pub async fn list_tools(&mut self) -> Result<&[Tool], Error> {
        self.tools = self.request(async |running| running.list_all_tools().await).await?;
        self.keep_listing();
        Ok(&self.tools)
    }

    /// Lists the tools if that involves no sign-in, and ignores failures.
    pub(crate) async fn list_tools_quietly(&mut self) {
        if self.access.usable_grant().is_none() || self.access.renew_if_due().await.is_err() {
            return;
        }
        let listed = self.connection.run(async |running| running.list_all_tools().await).await;
        self.tools = listed.unwrap_or_default();
        self.keep_listing();
    }

    /// Keeps the names of the tools, so that a shell can complete them.
    fn keep_listing(&self) {
        let tools = self.tools.iter().map(|tool| {
            let about = printable_line(tool.description.as_deref().unwrap_or_default());
            (printable_line(&tool.name), shortened(&about, MAX_LISTED_ABOUT))
        });
        Listing::read(self.access.options.credentials.directory()).keep(&self.server, tools);
    }

    /// The tool called `name`.
    pub async fn tool(&mut self, name: &str) -> Result<Tool, Error> {
        if let Some(tool) = self.find(name) {
            return Ok(tool);
        }
        self.list_tools().await?;
        self.find(name).ok_or_else(|| {
            let names = || self.tools.iter().map(|tool| tool.name.as_ref());
            let hint = match closest(name, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if self.tools.is_empty() => "it has no tools at all".to_owned(),
                None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
            };
            Error::UnknownTool { name: name.to_owned(), server: self.server.to_string(), hint }
        })
    }

    fn find(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    /// Calls `tool`.
    pub async fn call_tool(
        &mut self,
        tool: &Tool,
        arguments: JsonObject,
    ) -> Result<CallToolResult, Error> {
        let call = CallToolRequestParams::new(tool.name.clone()).with_arguments(arguments);
        let output = Arc::clone(&self.output);
        let _watch = output.watch();
        self.request(async |running| running.call_tool(call.clone()).await).await
    }

    /// What the server says about itself and how it is to be used, if it does.
    pub(crate) fn instructions(&self) -> Option<String> {
        self.connection.instructions()
    }

    pub(crate) async fn list_resources(&mut self) -> Result<(), Error> {
        self.resources = self.request(async |running| running.list_all_resources().await).await?;
        Ok(())
    }

    pub(crate) async fn read_resource(&mut self, uri: &str) -> Result<ReadResourceResult, Error> {
        let wanted = ReadResourceRequestParams::new(uri);
        self.request(async |running| running.read_resource(wanted.clone()).await).await
    }

    pub(crate) async fn list_prompts(&mut self) -> Result<(), Error> {
        self.prompts = self.request(async |running| running.list_all_prompts().await).await?;
        Ok(())
    }

    pub(crate) async fn get_prompt(
        &mut self,
        name: &str,
        arguments: JsonObject,
    ) -> Result<GetPromptResult, Error> {
        let wanted = GetPromptRequestParams::new(name).with_arguments(arguments);
        self.request(async |running| running.get_prompt(wanted.clone()).await).await
    }

    /// The directory for images and other binary data from the server.
    pub(crate) fn received(&self) -> &Received {
        &self.access.options.received
    }

    /// Switches to the server at `address`; on failure the old one stays.
    pub(crate) async fn switch_to(&mut self, address: Url) -> Result<(), Error> {
        let next = Self::new(ConnectionOptions { server: address, ..self.access.options.clone() })?;
        self.disconnect().await;
        *self = next;
        Ok(())
    }

    /// Whether the user can be asked for missing arguments.
    pub(crate) fn may_ask(&self) -> bool {
        let interaction = &self.access.options.interaction;
        interaction.may_ask && interaction.output.is_conversation() && !interaction.output.is_json()
    }

    /// Signs in, even if a user is already signed in. Returns `false` if the server needs no
    /// sign-in.
    pub(crate) async fn sign_in(&mut self) -> Result<bool, Error> {
        self.connection.close().await;
        self.access.set_aside();
        let attempts = Attempts::for_sign_in();
        let listed = self.repeat(attempts, async |running| running.list_all_tools().await).await;
        if listed.is_err() {
            self.connection.close().await;
            self.access.reload()?;
        }
        self.tools = listed?;
        self.keep_listing();
        Ok(self.access.usable_grant().is_some())
    }

    /// Ends the connection and forgets the lists: another user may see other tools.
    pub async fn disconnect(&mut self) {
        self.connection.close().await;
        self.tools.clear();
        self.resources.clear();
        self.prompts.clear();
    }

    /// Runs a request, and repeats it once the server has been given what it asks for.
    pub async fn request<T>(
        &mut self,
        operation: impl AsyncFn(&Running) -> Result<T, ServiceError>,
    ) -> Result<T, Error> {
        self.repeat(Attempts::default(), operation).await
    }

    async fn repeat<T>(
        &mut self,
        mut attempts: Attempts,
        operation: impl AsyncFn(&Running) -> Result<T, ServiceError>,
    ) -> Result<T, Error> {
        loop {
            self.access.renew_if_due().await?;
            let outcome = self.connection.run(&operation).await;
            for warning in self.connection.take_warnings() {
                self.output.say(&warning);
            }
            match outcome {
                Ok(result) => return Ok(result),
                Err(Failure::Refused(refusal)) => {
                    self.access.recover(&refusal, &mut attempts).await?
                }
                Err(Failure::Failed(error)) => return Err(error),
            }
        }
    }
}
