//! A person at a desk: a terminal in which the client runs, a browser, and the servers of
//! a stack behind both. Everything that is looked at is kept as a step of a recording.

use url::Url;

use crate::{
    people::{
        browser::{Browser, Page},
        screen::{Line, Screen},
        terminal::Terminal,
    },
    stack::Stack,
};

/// Parameters whose values say nothing to a reader and are other ones each time.
const NONSENSE: [&str; 5] = ["client_id=", "code_challenge=", "dpop_jkt=", "nonce=", "state="];
const NONSENSE_TOLD: [&str; 4] = ["client_id: ", "code_challenge: ", "dpop_jkt: ", "/go/"];

/// How the screen ends when the client's prompt waits for a line.
pub const PROMPT: &str = "\n❯";

/// The desk. What it holds ends with it.
pub struct Desk {
    pub stack: Stack,
    pub terminal: Terminal,
    pub browser: Browser,
    visits: usize,
    seen: Screen,
    steps: Vec<Step>,
    names: Vec<(String, String)>,
}

/// One look at the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happened, in a sentence.
    pub sentence: &'static str,
    /// What is new on the screen since the step before.
    pub news: Screen,
}

impl Desk {
    /// A desk before the first sign-in.
    pub async fn new() -> Self {
        let stack = Stack::start().await;
        let server = stack.resource.clone();
        Self::at(stack, &server).await
    }

    /// A desk at which Nick Lucas has signed in and the prompt waits; nothing of that is kept.
    pub async fn signed_in() -> Self {
        let mut desk = Self::new().await;
        desk.type_line("client login").await;
        desk.sign_in().await;
        desk.terminal.wait_for(&["Signed in as Nick Lucas.\n$"]).await;
        desk.forget().await;
        desk.type_line("client").await;
        desk.seen = desk.terminal.wait_for_end(&["signed in as Nick Lucas"], PROMPT).await;
        desk
    }

    /// A desk whose client uses another server.
    pub async fn at(stack: Stack, server: &str) -> Self {
        stack.run_clock();
        let terminal = Terminal::start(server).await;
        let mut desk = Self {
            terminal,
            browser: Browser::default(),
            visits: 0,
            seen: Screen::default(),
            steps: Vec::new(),
            names: Vec::new(),
            stack,
        };
        let places = [(desk.stack.issuer.clone(), 3000), (server.to_owned(), 3001)];
        for (place, port) in places {
            let actual = Url::parse(&place).ok().and_then(|url| url.port()).unwrap_or_default();
            for colon in [":", "%3A"] {
                desk.call(&format!("localhost{colon}{actual}"), &format!("localhost{colon}{port}"));
            }
        }
        let home = desk.terminal.home().display().to_string();
        desk.call(&home, "/home/nick");
        desk.terminal.wait_for(&["$"]).await;
        desk
    }

    /// In the recording, `actual` is called `name`: it is another one each time.
    pub fn call(&mut self, actual: &str, name: &str) {
        self.names.push((actual.to_owned(), name.to_owned()));
    }

    /// Types a line and presses Enter.
    pub async fn type_line(&self, line: &str) {
        self.terminal.type_line(line).await;
    }

    /// Waits until the prompt is back.
    pub async fn wait_for_prompt(&self) {
        self.terminal.wait_for_end(&[], PROMPT).await;
    }

    /// Waits until the screen shows all of `texts` and the prompt, and keeps what is new as a step.
    pub async fn answers(&mut self, sentence: &'static str, texts: &[&str]) -> String {
        self.shows(sentence, texts, PROMPT).await
    }

    /// Waits until the screen shows all of `texts` and ends with `end`, and keeps what is new as a
    /// step.
    pub async fn shows(&mut self, sentence: &'static str, texts: &[&str], end: &str) -> String {
        let screen = self.terminal.wait_for_end(texts, end).await;
        let news = self.seen.news_in(&screen);
        self.steps.push(Step { sentence, news });
        self.seen = screen;
        self.seen.text()
    }

    /// Signs in as Nick Lucas in the browser that the client has opened, and allows what it asks.
    pub async fn sign_in(&mut self) -> Page {
        let page = self.visit().await;
        let page = self.browser.send_form(&page, "/sign-in/github").await;
        let page = self.browser.press(&page, "user", "nick-lucas").await;
        self.browser.press(&page, "decision", "allow").await
    }

    /// Continues the recording with an empty screen; the steps until now stay.
    pub async fn forget(&mut self) {
        self.type_line("clear").await;
        self.seen = self.terminal.wait_for_empty().await;
    }

    /// The page that the client has opened since the last visit.
    pub async fn visit(&mut self) -> Page {
        self.visits += 1;
        let address = self.terminal.opened(self.visits).await;
        self.browser.open(&address).await
    }

    /// The steps until now, with names that stay the same from one time to the next.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = self.steps.clone();
        for line in steps.iter_mut().flat_map(|step| &mut step.news.lines) {
            self.rename(line);
        }
        steps
    }

    fn rename(&self, line: &mut Line) {
        for (actual, name) in &self.names {
            line.replace(actual, name);
        }
        for colon in [":", "%3A"] {
            let before = format!("127.0.0.1{colon}");
            line.replace_after(&before, |digit| digit.is_ascii_digit(), "49152");
        }
        let is_value = |character: char| !matches!(character, '&' | ' ' | '[');
        for before in NONSENSE.iter().chain(&NONSENSE_TOLD) {
            line.replace_after(before, is_value, "…");
        }
    }
}
