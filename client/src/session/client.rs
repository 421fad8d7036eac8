//! Work with one server: every request refreshes, signs in or steps up as the server asks, and is
//! then repeated.

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
    files::received::Received,
    http::Fetch,
    session::{
        access::{Access, Attempts},
        connection::{Connection, Failure, Running},
        setup::Setup,
    },
    terminal::{output::Output, suggestion::closest},
};

/// A server, the right to use it, and the connection to it.
pub struct Client {
    /// The server's address.
    pub server: Url,
    /// How the person is spoken to.
    pub output: Arc<Output>,
    /// The right to use the server.
    pub access: Access,
    connection: Connection,
    tools: Vec<Tool>,
    resources: Vec<Resource>,
    prompts: Vec<Prompt>,
}

impl Client {
    /// Prepares to work with a server; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error`] when the kept credentials cannot be read or HTTP cannot be set up.
    pub fn new(setup: Setup) -> Result<Self, Error> {
        let server = setup.server.clone();
        let fetch = Fetch::new(&server, setup.manners.explanation.clone())?;
        let output = Arc::clone(&setup.manners.output);
        let conversation = Arc::clone(&setup.conversation);
        let profile = setup.profile.clone();
        let access = Access::load(setup, fetch.clone())?;
        let token = access.token();
        let connection = Connection::new(server.clone(), fetch, token, &profile, conversation);
        let (tools, resources, prompts) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { server, output, access, connection, tools, resources, prompts })
    }

    /// The resources that were listed last.
    pub fn known_resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The prompts that were listed last.
    pub fn known_prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// The tools that were listed last.
    pub fn known_tools(&self) -> &[Tool] {
        &self.tools
    }

    /// Lists the tools anew.
    ///
    /// # Errors
    /// [`Error`], after everything that could help has been tried.
    pub async fn list_tools(&mut self) -> Result<&[Tool], Error> {
        self.tools = self.request(async |running| running.list_all_tools().await).await?;
        Ok(&self.tools)
    }

    /// Lists the tools if that takes neither the person nor a complaint.
    pub async fn list_tools_quietly(&mut self) {
        if self.access.usable_grant().is_none() || self.access.renew_if_due().await.is_err() {
            return;
        }
        let listed = self.connection.run(async |running| running.list_all_tools().await).await;
        self.tools = listed.unwrap_or_default();
    }

    /// The tool called `name`.
    ///
    /// # Errors
    /// [`Error::UnknownTool`] with what was probably meant, or any error of [`Self::list_tools`].
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
    ///
    /// # Errors
    /// [`Error`], after everything that could help has been tried. A tool's own error is a result.
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

    /// Lists the resources.
    ///
    /// # Errors
    /// [`Error`], after everything that could help has been tried.
    pub async fn list_resources(&mut self) -> Result<&[Resource], Error> {
        self.resources = self.request(async |running| running.list_all_resources().await).await?;
        Ok(&self.resources)
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// As [`Self::list_resources`].
    pub async fn read_resource(&mut self, uri: &str) -> Result<ReadResourceResult, Error> {
        let wanted = ReadResourceRequestParams::new(uri);
        self.request(async |running| running.read_resource(wanted.clone()).await).await
    }

    /// Lists the prompts.
    ///
    /// # Errors
    /// As [`Self::list_resources`].
    pub async fn list_prompts(&mut self) -> Result<&[Prompt], Error> {
        self.prompts = self.request(async |running| running.list_all_prompts().await).await?;
        Ok(&self.prompts)
    }

    /// Fills in a prompt.
    ///
    /// # Errors
    /// As [`Self::list_resources`].
    pub async fn get_prompt(
        &mut self,
        name: &str,
        arguments: JsonObject,
    ) -> Result<GetPromptResult, Error> {
        let wanted = GetPromptRequestParams::new(name).with_arguments(arguments);
        self.request(async |running| running.get_prompt(wanted.clone()).await).await
    }

    /// Where images and other data go that the server sends.
    pub fn received(&self) -> &Received {
        self.access.received()
    }

    /// Works with the server at `address` from now on.
    ///
    /// # Errors
    /// As [`Self::new`]; the old server is then still worked with.
    pub async fn turn_to(&mut self, address: Url) -> Result<(), Error> {
        let next = Self::new(self.access.setup_for(address))?;
        self.start_afresh().await;
        *self = next;
        Ok(())
    }

    /// Whether somebody can be asked for what is missing.
    pub fn may_ask(&self) -> bool {
        let manners = self.access.manners();
        manners.may_ask && manners.output.is_conversation() && !manners.output.is_json()
    }

    /// Signs in anew, whoever is signed in now. Returns `false` if the server wants no sign-in.
    ///
    /// # Errors
    /// [`Error`] when the sign-in fails; whoever was signed in before then still is.
    pub async fn sign_in(&mut self) -> Result<bool, Error> {
        self.connection.close().await;
        self.access.set_aside();
        let attempts = Attempts::for_sign_in();
        let listed = self.repeat(attempts, async |running| running.list_all_tools().await).await;
        if listed.is_err() {
            self.connection.close().await;
            self.access.load_again()?;
        }
        self.tools = listed?;
        Ok(self.access.usable_grant().is_some())
    }

    /// Ends the connection and forgets the lists: whoever comes next may see others.
    pub async fn start_afresh(&mut self) {
        self.connection.close().await;
        self.tools.clear();
        self.resources.clear();
        self.prompts.clear();
    }

    /// Runs any request of the protocol, with whatever the server wants for it.
    ///
    /// # Errors
    /// [`Error`], after everything that could help has been tried.
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
            for remark in self.connection.take_remarks() {
                self.output.say(&remark);
            }
            match outcome {
                Ok(result) => return Ok(result),
                Err(Failure::Refused(refusal)) => {
                    self.access.answer(&refusal, &mut attempts).await?
                }
                Err(Failure::Failed(error)) => return Err(error),
            }
        }
    }
}
