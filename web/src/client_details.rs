//! A client on a page: what it says about itself, and how much of that is proven.

use leptos::prelude::*;

use crate::{
    display_name::{initial, visible},
    layout::Frame,
    lookalike,
    text::{Text, fill, isolated},
};

/// The name of this project's own client.
const OWN_CLIENT: &str = "Portcullis client";

/// A client that requests access.
#[derive(Debug, Clone)]
pub struct ClientDetails {
    /// The name that the client chose for itself.
    pub name: String,
    /// `client_id`, shown in the details.
    pub id: String,
    /// The host of `client_id` if that is a URL, which proves the host.
    pub host: Option<String>,
    /// Whether the client registered itself (RFC 7591), so that no one has verified it.
    pub unverified: bool,
    /// Pages that the client calls its own.
    pub pages: OwnPages,
}

/// The pages that a program calls its own. They are linked only where they are https, with the
/// host in sight; nothing is ever loaded from them.
#[derive(Debug, Clone, Default)]
pub struct OwnPages {
    /// `client_uri`.
    pub home: Option<String>,
    /// `policy_uri`.
    pub policy: Option<String>,
    /// `tos_uri`.
    pub terms: Option<String>,
}

impl ClientDetails {
    /// What a page calls the client: a proven host, or else its name in quotation marks.
    pub(crate) fn lead(&self, frame: &Frame) -> String {
        match &self.host {
            Some(host) => isolated(&visible(host)),
            None => frame.text.quoted(&frame.name(&self.name)),
        }
    }

    /// Who asks, in a few words. A proven host leads the page, so here is the name that the client
    /// gave itself, where it cannot push the host away.
    pub(crate) fn who(&self, frame: &Frame) -> String {
        let text = frame.text;
        if self.host.is_some() {
            let name = text.quoted(&frame.name(&self.name));
            fill(text.calls_itself, &[("client", &name)])
        } else if self.unverified {
            text.unverified_program.to_owned()
        } else {
            fill(text.known_program, &[("operator", frame.brand.name())])
        }
    }

    /// The client's sign next to the operator's mark: a letter.
    pub(crate) fn initial(&self, frame: &Frame) -> String {
        initial(&self.host.as_deref().map_or_else(|| frame.name(&self.name), visible))
    }

    /// What is suspicious about the client's name and hosts, given the host that receives the
    /// answer, and whether that is a program on the person's own machine.
    pub(crate) fn suspicions(
        &self,
        frame: &Frame,
        redirect_host: &str,
        is_program: bool,
    ) -> Vec<String> {
        let text = frame.text;
        let name = visible(&self.name);
        let hosts: Vec<&str> = self.host.as_deref().into_iter().chain([redirect_host]).collect();
        // An operator who entered a client by hand vouches for its name. Our own client is not
        // accused of its own name; no site may borrow it.
        let vouched = self.host.is_none() && !self.unverified;
        let is_own = is_program && name == OWN_CLIENT;
        let brand = lookalike::claimed_brand(&name, &hosts, frame.brand.name());
        let brand = brand.filter(|_| !vouched && !is_own);
        let international = hosts.iter().any(|host| host.contains("xn--") || !host.is_ascii());
        [
            brand.map(|brand| fill(text.brand_claim, &[("brand", &isolated(&brand))])),
            lookalike::mixes_alphabets(&name).then(|| text.mixed_alphabets.to_owned()),
            international.then(|| text.international_host.to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl OwnPages {
    /// Links for the details, each with its host in sight.
    pub(crate) fn links(&self, text: &'static Text) -> Option<impl IntoView + use<>> {
        let pages = [
            (text.own_home, &self.home),
            (text.own_policy, &self.policy),
            (text.own_terms, &self.terms),
        ];
        let links: Vec<_> = pages
            .into_iter()
            .filter_map(|(label, address)| {
                let (address, host) = https(address.as_deref()?)?;
                let label = format!("{label} ({host})");
                Some(view! {
                    <li>
                        <a href=address rel="noopener noreferrer nofollow">{label}</a>
                    </li>
                })
            })
            .collect();
        (!links.is_empty()).then(|| {
            view! {
                <div>
                    <dt>{text.own_pages}</dt>
                    <dd><ul>{links}</ul></dd>
                </div>
            }
        })
    }
}

/// An address that may be linked, and its host: https, printable ASCII, a plain host.
fn https(address: &str) -> Option<(String, String)> {
    let rest = address.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b));
    let is_address = address.len() <= 512 && address.bytes().all(|b| b.is_ascii_graphic());
    let is_fit = !host.is_empty() && is_plain && is_address;
    is_fit.then(|| (address.to_owned(), host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_https_address_with_a_plain_host_is_linked() {
        assert_eq!(
            https("https://example.com/privacy"),
            Some(("https://example.com/privacy".to_owned(), "example.com".to_owned()))
        );
        for address in [
            "javascript:alert(1)",
            "http://example.com",
            "https://",
            "https://google.com@evil.example/",
            "https://evil.example/\u{202e}",
            "https://exаmple.com/",
            " https://example.com",
            "//example.com",
        ] {
            assert_eq!(https(address), None, "{address}");
        }
    }
}
