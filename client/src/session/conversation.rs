//! What a server may ask or tell the user while it works on a request.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::{
        ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationCapability,
        FormElicitationCapability, Implementation, JsonObject, ProgressNotificationParam,
        ProtocolVersion, UrlElicitationCapability,
    },
    service::{NotificationContext, RequestContext},
};

use crate::session::wire::activity::Activity;

/// Answers the questions of a server. Texts from the server have not been made safe to print yet.
pub trait Conversation: Send + Sync {
    /// Whether questions can be answered at all. If not, the client does not declare elicitation.
    fn can_answer(&self) -> bool;

    /// Answers a question of `server`: with the fields of a form, or by opening an address.
    fn elicit<'a>(
        &'a self,
        server: &'a str,
        question: ElicitRequestParams,
    ) -> BoxFuture<'a, ElicitResult>;

    /// Shows the progress of the current request.
    fn progress(&self, progress: ProgressNotificationParam);

    /// Shows that the server has not said anything about the current request for so long.
    fn waiting(&self, _: Duration) {}
}

/// This client as servers see it: its name, its capabilities, and how it answers.
#[derive(Clone)]
pub struct Host {
    pub(super) conversation: Arc<dyn Conversation>,
    /// What `initialize` offers.
    pub(super) protocol_version: ProtocolVersion,
    /// What the server is called in its questions.
    pub(super) server: String,
    /// The extension by which this client gets its tokens.
    pub(super) extension: Option<&'static str>,
    /// While a question is open, it does not count the time as the server's.
    pub(super) activity: Activity,
}

impl Host {
    fn capabilities(&self) -> ClientCapabilities {
        let mut capabilities = ClientCapabilities::default();
        if self.conversation.can_answer() {
            let elicitation = ElicitationCapability::new()
                .with_form(FormElicitationCapability::default())
                .with_url(UrlElicitationCapability::default());
            capabilities.elicitation = Some(elicitation);
        }
        capabilities.extensions =
            self.extension.map(|name| [(name.to_owned(), JsonObject::new())].into());
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
        let _question = self.activity.question();
        Ok(self.conversation.elicit(&self.server, question).await)
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.conversation.progress(progress);
    }
}

#[cfg(test)]
mod tests {
    use futures::future::FutureExt as _;
    use rmcp::model::ElicitationAction;
    use serde_json::{Value, json};

    use super::*;
    use crate::{oauth::enterprise::IdentityProvider, profile::SignInMethod, secret::Secret};

    struct Alone;

    impl Conversation for Alone {
        fn can_answer(&self) -> bool {
            false
        }

        fn elicit<'a>(&'a self, _: &'a str, _: ElicitRequestParams) -> BoxFuture<'a, ElicitResult> {
            async { ElicitResult::new(ElicitationAction::Decline) }.boxed()
        }

        fn progress(&self, _: ProgressNotificationParam) {}
    }

    fn declared(method: &SignInMethod) -> Value {
        let host = Host {
            conversation: Arc::new(Alone),
            protocol_version: ProtocolVersion::V_2026_07_28,
            server: String::new(),
            extension: method.extension(),
            activity: Activity::default(),
        };
        serde_json::to_value(host.capabilities()).expect("JSON")["extensions"].clone()
    }

    #[test]
    fn the_extension_that_brings_the_tokens_is_declared_and_no_other() {
        assert_eq!(declared(&SignInMethod::Browser), Value::Null);
        let machine = json!({"io.modelcontextprotocol/oauth-client-credentials": {}});
        assert_eq!(declared(&SignInMethod::ClientCredentials), machine);
        let enterprise = SignInMethod::Enterprise(IdentityProvider {
            token_endpoint: "https://idp.example/token".parse().expect("a URL"),
            client_id: "c".to_owned(),
            client_secret: None,
            id_token: Secret::new("t"),
        });
        let managed = json!({"io.modelcontextprotocol/enterprise-managed-authorization": {}});
        assert_eq!(declared(&enterprise), managed);
    }
}
