//! Copies of the metadata documents of widely used clients, for a server that cannot reach their origins:
//! on a laptop offline, or in a closed network.
//!
//! A copy is used only while the origin cannot be reached. The answer of an origin always takes
//! precedence, even if it is that the document no longer exists.

use super::metadata_document;
use crate::oauth::Client;

/// Address and copy. All redirect URIs lead to the user's own machine.
const COPIES: [(&str, &str); 1] = [(
    "https://claude.ai/oauth/claude-code-client-metadata",
    include_str!("well_known/claude-code.json"),
)];

/// The client that the copy of the document at `client_id` describes, if there is a copy.
pub(super) fn find(client_id: &str) -> Option<Client> {
    let (id, copy) = COPIES.into_iter().find(|(id, _)| *id == client_id)?;
    metadata_document::read(id, copy.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::RedirectTarget;

    #[test]
    fn every_copy_is_a_usable_document_that_sends_nobody_beyond_their_own_machine() {
        for (id, _) in COPIES {
            let client = find(id).unwrap();
            assert_eq!(client.id, id);
            for uri in &client.metadata.redirect_uris {
                let target =
                    RedirectTarget::verify(&client, Some(uri.as_str()), None, "i").unwrap();
                assert!(target.is_loopback(), "{id}: {}", uri.as_str());
            }
        }
        assert!(find("https://claude.ai/oauth/another").is_none());
    }
}
