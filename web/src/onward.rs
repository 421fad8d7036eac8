//! A link to an address of an unverified client. The user sees where it leads and decides.

use leptos::prelude::*;

use crate::{fact::fact, text::Text};

/// Schemes whose addresses run or show something instead of leading to a program.
const ACTIVE_SCHEMES: [&str; 6] = ["about", "blob", "data", "file", "javascript", "vbscript"];

/// Where a program would have the person go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onward {
    /// The host, or the scheme of an app: what the person recognises it by.
    pub host: String,
    /// The whole address, with what the program is told.
    pub address: String,
}

impl Onward {
    /// The host in full, and the link.
    pub(crate) fn view(&self, text: &'static Text) -> impl IntoView + use<> {
        let link = leads_to_a_program(&self.address).then(|| {
            let address = self.address.clone();
            view! {
                <a class="button secondary" href=address rel="noopener noreferrer nofollow">
                    {text.action_onward}
                </a>
            }
        });
        view! {
            <dl class="facts">{fact(text.sent_back_to, &self.host)}</dl>
            {link}
        }
    }
}

/// Whether a link to this address leaves it to a site or an app what to do.
fn leads_to_a_program(address: &str) -> bool {
    let Some((scheme, _)) = address.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let is_active = ACTIVE_SCHEMES.iter().any(|active| scheme.eq_ignore_ascii_case(active));
    is_scheme && !is_active && address.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_runs_something_is_never_linked() {
        for address in ["https://app.example/cb?error=x", "cursor://x/cb", "com.example.app:/cb"] {
            assert!(leads_to_a_program(address), "{address}");
        }
        for address in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "java\tscript:alert(1)",
            " javascript:alert(1)",
            "/path",
            "https://app.example/\u{202e}",
            "",
        ] {
            assert!(!leads_to_a_program(address), "{address}");
        }
    }
}
