//! What a server may ask of the person, or tell them, while it works on a request.
//!
//! The prompt answers as a [`Conversation`]; where nobody is at the terminal, [`Alone`] does.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::{
        ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction,
        ElicitationCapability, FormElicitationCapability, Implementation,
        ProgressNotificationParam, ProtocolVersion, UrlElicitationCapability,
    },
    service::{NotificationContext, RequestContext},
};

/// Whoever answers a server's questions. Nothing that comes in has been made safe to print yet.
pub trait Conversation: Send + Sync {
    /// Whether questions can be answered at all. If not, servers are told so and ask none.
    fn can_answer(&self) -> bool;

    /// Answers a question: with the fields of a form, or by opening an address.
    fn elicit(&self, question: ElicitRequestParams) -> BoxFuture<'_, ElicitResult>;

    /// Takes note of how far the request in progress has come.
    fn progress(&self, progress: ProgressNotificationParam);
}

/// Nobody: every question is declined and nothing is noted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Conversation for Alone {
    fn can_answer(&self) -> bool {
        false
    }

    fn elicit(&self, _: ElicitRequestParams) -> BoxFuture<'_, ElicitResult> {
        async { ElicitResult::new(ElicitationAction::Decline) }.boxed()
    }

    fn progress(&self, _: ProgressNotificationParam) {}
}

/// This client as servers see it: its name, its abilities, and whoever answers for it.
#[derive(Clone)]
pub struct Host {
    conversation: Arc<dyn Conversation>,
    protocol_version: ProtocolVersion,
}

impl Host {
    /// A client for which `conversation` answers, and that offers `protocol_version` in
    /// `initialize`.
    pub fn new(conversation: Arc<dyn Conversation>, protocol_version: ProtocolVersion) -> Self {
        Self { conversation, protocol_version }
    }

    fn capabilities(&self) -> ClientCapabilities {
        let mut capabilities = ClientCapabilities::default();
        if self.conversation.can_answer() {
            let elicitation = ElicitationCapability::new()
                .with_form(FormElicitationCapability::default())
                .with_url(UrlElicitationCapability::default());
            capabilities.elicitation = Some(elicitation);
        }
        capabilities
    }
}

impl ClientHandler for Host {
    fn get_info(&self) -> ClientConfig {
        let implementation = Implementation::new("portcullis-client", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(self.capabilities(), implementation)
            .with_protocol_version(self.protocol_version.clone())
    }

    async fn create_elicitation(
        &self,
        question: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(self.conversation.elicit(question).await)
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.conversation.progress(progress);
    }
}
