//! Everything that work with one server begins with.

use net::clock::Clock;
use url::Url;

use super::conversation::Conversation;
use crate::files::received::Received;
use crate::{credentials::Credentials, profile::Profile, sign_in::manners::Manners};
use std::sync::Arc;

/// A server, and who works with it.
#[derive(Clone)]
pub struct Setup {
    /// The server's address.
    pub server: Url,
    /// What was kept earlier.
    pub credentials: Credentials,
    /// What time it is.
    pub clock: Clock,
    /// How the person is involved.
    pub manners: Manners,
    /// Who answers what the server asks while it works.
    pub conversation: Arc<dyn Conversation>,
    /// Where images and other data go that the server sends.
    pub received: Received,
    /// Who this client is and how it gets its tokens.
    pub profile: Profile,
}
