//! A person who has no mouse.

use fantoccini::{
    actions::{InputSource, KeyAction, KeyActions},
    key::Key,
};

use super::Chromium;

/// Most presses of the tab key that a person puts up with.
const MAX_TABS: usize = 40;

impl Chromium {
    /// Goes from one thing to the next, up to the one that says `label`: the words on a button,
    /// link, summary or box, the first line of them, or the name of a field.
    pub async fn tab_to(&self, label: &str) {
        let mut passed = Vec::new();
        for _ in 0..MAX_TABS {
            self.key(Key::Tab).await;
            let focused = self.page.active_element().await.expect("something focused");
            let text = focused.text().await.unwrap_or_default();
            let name = focused.attr("name").await.ok().flatten().unwrap_or_default();
            let value = focused.attr("value").await.ok().flatten().unwrap_or_default();
            let first_line = text.lines().next().unwrap_or_default();
            if [text.as_str(), first_line, &name, &value].contains(&label) {
                return;
            }
            passed.push(format!("{text}{name}{value}"));
        }
        panic!("{label} cannot be reached by keyboard; there are: {passed:?}");
    }

    /// Goes to what says `label`, and presses Enter.
    pub async fn enter(&self, label: &str) {
        self.tab_to(label).await;
        self.key(Key::Enter).await;
    }

    /// Goes to what says `label`, and presses the space bar.
    pub async fn space(&self, label: &str) {
        self.tab_to(label).await;
        self.key(Key::Space).await;
    }

    /// Types into whatever has the focus.
    pub async fn type_text(&self, text: &str) {
        for character in text.chars() {
            self.press_key(character).await;
        }
    }

    async fn key(&self, key: Key) {
        self.press_key(key.into()).await;
    }

    async fn press_key(&self, value: char) {
        let keyboard = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.page.perform_actions(keyboard).await.expect("a key press");
    }
}
