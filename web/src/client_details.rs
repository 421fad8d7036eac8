//! A client on a page: what it says about itself, and how much of that is proven.

use leptos::prelude::*;

use crate::{
    display_name::visible,
    fact::{fact, fact_in_words},
    layout::Frame,
    lookalike,
    text::{Text, fill, isolated},
};

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

    /// A proven host leads the page; the name the program chose must not be able to push it away.
    pub(crate) fn self_declared_name(&self, frame: &Frame) -> Option<String> {
        let name = frame.text.quoted(&frame.name(&self.name));
        self.host.as_ref().map(|_| fill(frame.text.calls_itself, &[("client", &name)]))
    }

    /// The row that says where the client comes from.
    pub(crate) fn address(&self, text: &'static Text) -> AnyView {
        match &self.host {
            Some(host) => fact(text.asked_by, host).into_any(),
            None => fact_in_words(text.asked_by, text.no_host).into_any(),
        }
    }

    /// Warnings about the client's name and hosts, given the host that receives the answer.
    pub(crate) fn warnings(&self, frame: &Frame, redirect_host: &str) -> Vec<String> {
        let text = frame.text;
        let name = visible(&self.name);
        let hosts: Vec<&str> =
            self.host.iter().map(String::as_str).chain([redirect_host]).collect();
        // An operator who entered a client by hand vouches for its name.
        let vouched = self.host.is_none() && !self.unverified;
        let brand = lookalike::claimed_brand(&name, &hosts, frame.brand.name());
        let brand = brand.filter(|_| !vouched);
        let international = hosts.iter().any(|host| host.contains("xn--") || !host.is_ascii());
        [
            brand.map(|brand| fill(text.brand_claim, &[("brand", &isolated(&brand))])),
            lookalike::mixes_alphabets(&name).then(|| text.mixed_alphabets.to_owned()),
            international.then(|| text.international_host.to_owned()),
            self.unverified.then(|| text.unverified.to_owned()),
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
