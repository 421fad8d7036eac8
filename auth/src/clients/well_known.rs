//! Copies of metadata documents that many people's programs name, for a server that cannot reach
//! their origins: on a laptop offline, or in a network without a way out.
//!
//! A copy is used only while nothing can be learnt from the origin itself. An origin that answers
//! is always right, also when it says that there is no such document any more.

use super::metadata_document;
use crate::oauth::client::Client;

/// Address and copy. They send people back to their own machine only.
const COPIES: [(&str, &str); 1] = [(
    "https://claude.ai/oauth/claude-code-client-metadata",
    include_str!("well_known/claude-code.json"),
)];

/// The client that the copy of the document at `client_id` describes, if there is one.
pub(super) fn find(client_id: &str) -> Option<Client> {
    let (id, copy) = COPIES.into_iter().find(|(id, _)| *id == client_id)?;
    metadata_document::read(id, copy.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::redirect_target::RedirectTarget;

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
