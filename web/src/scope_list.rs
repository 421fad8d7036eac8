//! What a client asks for, in plain words, in the order in which it should be read.

use leptos::prelude::*;

use crate::{
    display_name::{display_name, visible},
    icon,
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

    fn is_sensitive(&self, text: &Text) -> bool {
        self.sensitive || self.description.is_none() && text.scope(&self.name).is_none()
    }

    /// A box where the person may leave it out, a tick otherwise.
    fn item(&self, text: &'static Text, choice: Choice) -> impl IntoView + use<> {
        let is_sensitive = self.is_sensitive(text);
        let badge = is_sensitive.then(|| view! { " " <span class="badge">{text.sensitive}</span> });
        let words = view! { <span>{self.words(text)}{badge}</span> };
        if self.optional && choice != Choice::None {
            let is_ticked = choice == Choice::AllowedBefore || !is_sensitive;
            // Where this is all that is asked, allowing without the tick would allow nothing.
            let is_required = choice == Choice::Only && !is_ticked;
            view! {
                <li>
                    <label>
                        <input
                            type="checkbox"
                            name="scope"
                            value=self.name.clone()
                            checked=is_ticked
                            required=is_required
                        />
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

/// How the optional scopes of a list are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// Like the others: here the person allows all or nothing.
    None,
    /// As boxes, ticked unless sensitive.
    New,
    /// As a box, and there is nothing else.
    Only,
    /// As boxes, ticked.
    AllowedBefore,
}

/// What the client asks for: what it always gets, then what the person may choose, the sensitive
/// ones first. What it was `allowed_before` is folded where it asks for more.
pub(crate) fn scope_choice(
    text: &'static Text,
    scopes: &[ScopeLine],
    allowed_before: &[String],
) -> AnyView {
    let (old, new): (Vec<_>, Vec<_>) =
        scopes.iter().partition(|line| allowed_before.contains(&line.name));
    let is_step_up = !old.is_empty() && !new.is_empty();
    let asked = if is_step_up { new } else { scopes.iter().collect() };
    let choice = if asked.len() == 1 { Choice::Only } else { Choice::New };
    if !is_step_up {
        return groups(text, [text.will_be_able_to, text.your_choice], &asked, choice);
    }
    let summary = fill(text.allowed_before, &[("count", &old.len().to_string())]);
    view! {
        {groups(text, [text.will_also_be_able_to, text.also_your_choice], &asked, choice)}
        <details>
            <summary>{summary}</summary>
            {groups(text, [text.will_be_able_to, text.your_choice], &old, Choice::AllowedBefore)}
        </details>
    }
    .into_any()
}

/// What the client asks for where the person allows all of it or nothing.
pub(crate) fn fixed_scopes(text: &'static Text, scopes: &[ScopeLine]) -> AnyView {
    let lines: Vec<_> = scopes.iter().collect();
    groups(text, [text.will_be_able_to, text.your_choice], &lines, Choice::None)
}

fn groups(
    text: &'static Text,
    [always, chosen]: [&'static str; 2],
    scopes: &[&ScopeLine],
    choice: Choice,
) -> AnyView {
    if scopes.is_empty() {
        return view! { <p>{text.no_scopes}</p> }.into_any();
    }
    let (optional, fixed): (Vec<_>, Vec<_>) =
        scopes.iter().partition(|line| line.optional && choice != Choice::None);
    let group = |legend: &'static str, mut lines: Vec<&ScopeLine>| {
        lines.sort_by_key(|line| !line.is_sensitive(text));
        let items: Vec<_> = lines.iter().map(|line| line.item(text, choice)).collect();
        (!items.is_empty()).then(|| {
            view! {
                <fieldset>
                    <legend>{legend}</legend>
                    <ul class="scopes">{items}</ul>
                </fieldset>
            }
        })
    };
    view! { <div class="panel plain">{group(always, fixed)} {group(chosen, optional)}</div> }
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
