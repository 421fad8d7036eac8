//! What a client asks for, in plain words, grouped by what it is about.

use leptos::prelude::*;

use crate::{
    display_name::{display_name, visible},
    icon,
    layout::Frame,
    text::{Text, fill},
};

/// One scope, in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeLine {
    /// The scope as it is written on the wire.
    pub name: String,
    /// What it lets the client do, as an action: "Use the tools". `None` for a scope that means
    /// the same at every resource, whose words are the catalogue's.
    pub description: Option<String>,
    /// Whether the line is marked as one to think about.
    pub sensitive: bool,
    /// Whether the person may leave it out.
    pub optional: bool,
}

impl ScopeLine {
    /// The line for a scope that means the same at every resource: who the person is, and how
    /// long the access lasts.
    pub fn standard(scope: &str) -> Self {
        let optional = matches!(scope, "profile" | "email");
        Self {
            name: scope.to_owned(),
            description: None,
            sensitive: scope == "offline_access",
            optional,
        }
    }

    /// The description in the language of the page.
    ///
    /// A scope without a description is shown by its name and marked sensitive, because its effect
    /// is unknown.
    pub(crate) fn words(&self, text: &Text) -> String {
        let own = self.description.as_deref().map(visible);
        own.or_else(|| text.scope(&self.name).map(str::to_owned)).unwrap_or_else(|| {
            fill(text.unknown_scope, &[("scope", &text.quoted(&display_name(&self.name)))])
        })
    }

    fn is_about_the_person(&self) -> bool {
        self.description.is_none()
    }

    fn is_sensitive(&self, text: &Text) -> bool {
        self.sensitive || self.description.is_none() && text.scope(&self.name).is_none()
    }

    fn item(&self, text: &'static Text, choosable: bool) -> impl IntoView + use<> {
        let badge = self
            .is_sensitive(text)
            .then(|| view! { " " <span class="badge">{text.sensitive}</span> });
        let words = view! { <span>{self.words(text)}{badge}</span> };
        if self.optional && choosable {
            view! {
                <li>
                    <label>
                        <input type="checkbox" name="scope" value=self.name.clone() checked />
                        {words}
                    </label>
                </li>
            }
            .into_any()
        } else {
            view! { <li>{icon::tick()} {words}</li> }.into_any()
        }
    }
}

/// The lines under the name of the resource, then those about the person. Where `choosable`, the
/// optional ones are boxes to untick.
pub(crate) fn scope_list(
    frame: &Frame,
    resource_name: &str,
    scopes: &[ScopeLine],
    choosable: bool,
) -> AnyView {
    let text = frame.text;
    if scopes.is_empty() {
        return view! { <p>{text.no_scopes}</p> }.into_any();
    }
    let group = |legend: String, about_the_person: bool| {
        let lines: Vec<_> = scopes
            .iter()
            .filter(|line| line.is_about_the_person() == about_the_person)
            .map(|line| line.item(text, choosable))
            .collect();
        (!lines.is_empty()).then(|| {
            view! {
                <fieldset>
                    <legend dir="auto">{legend}</legend>
                    <ul class="scopes">{lines}</ul>
                </fieldset>
            }
        })
    };
    let can_choose = choosable && scopes.iter().any(|line| line.optional);
    view! {
        <h2>{text.will_be_able_to}</h2>
        <div class="panel plain">
            {group(frame.name(resource_name), false)}
            {group(text.about_you.to_owned(), true)}
        </div>
        {can_choose.then(|| view! { <p class="hint">{text.untick}</p> })}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn scopes_are_told_in_plain_words() {
        let text = Text::of(Language::English);
        assert_eq!(ScopeLine::standard("email").words(text), "See your e-mail address");
        assert!(!ScopeLine::standard("email").is_sensitive(text));
        assert!(ScopeLine::standard("offline_access").is_sensitive(text));
    }

    #[test]
    fn an_unknown_scope_is_shown_by_name_and_marked() {
        let line = ScopeLine::standard("files:delete");
        let text = Text::of(Language::English);
        assert!(line.words(text).contains("files:delete"));
        assert!(line.is_sensitive(text));
    }
}
