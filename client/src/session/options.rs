//! Everything that a connection to one server depends on.

use std::sync::Arc;

use net::clock::Clock;
use url::Url;

use super::conversation::Conversation;
use crate::{
    credentials::Credentials, files::received::Received, profile::Profile,
    sign_in::interaction::Interaction,
};

/// A server, and everything that a connection to it depends on.
#[derive(Clone)]
pub struct ConnectionOptions {
    /// The address of the MCP server.
    pub server: Url,
    /// The file of grants and registrations.
    pub credentials: Credentials,
    /// The current time.
    pub clock: Clock,
    /// How the user takes part in a sign-in.
    pub interaction: Interaction,
    /// Answers what the server asks while it works on a request.
    pub conversation: Arc<dyn Conversation>,
    /// The directory for images and other binary data that the server sends.
    pub received: Received,
    /// Who this client is and how it gets its tokens.
    pub profile: Profile,
}
