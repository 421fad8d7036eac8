//! Everything that work with one server begins with.

use url::Url;

use crate::{clock::Clock, credentials::Credentials, manners::Manners, profile::Profile};

/// A server, and who works with it.
pub struct Setup {
    /// The server's address.
    pub server: Url,
    /// What was kept earlier.
    pub credentials: Credentials,
    /// What time it is.
    pub clock: Clock,
    /// How the person is involved.
    pub manners: Manners,
    /// Who this client is and how it gets its tokens.
    pub profile: Profile,
}
