//! What the completion key offers at the prompt: commands, tools, and what these take.

use rmcp::model::Tool;

use crate::{
    arguments::parameter::Parameters, cli::line::commands, terminal::printable::printable_line,
};

/// Names that some commands take, each with what is said about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The servers that the user has named.
    pub(crate) servers: Vec<(String, String)>,
    /// The URIs that the server listed.
    pub(crate) resources: Vec<(String, String)>,
    /// The prompts that the server listed.
    pub(crate) prompts: Vec<(String, String)>,
}

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Where in the line `text` begins.
    pub(crate) start: usize,
    pub(crate) text: String,
    pub(crate) about: String,
    /// Whether the word ends there.
    pub(crate) is_whole: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Completer {
    tools: Vec<Word>,
    commands: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    name: String,
    about: String,
    takes: Vec<(String, String)>,
}

impl Completer {
    /// Offers `tools`, the commands of the prompt, and the names in `known`.
    pub(crate) fn new(tools: &[Tool], known: &Known) -> Self {
        let tools: Vec<_> = tools
            .iter()
            .map(|tool| Word {
                name: printable_line(&tool.name),
                about: printable_line(tool.description.as_deref().unwrap_or_default()),
                takes: arguments(tool),
            })
            .collect();
        let names = |words: &[Word]| -> Vec<(String, String)> {
            words.iter().map(|word| (word.name.clone(), word.about.clone())).collect()
        };
        let mut commands: Vec<_> = commands()
            .into_iter()
            .map(|command| Word { name: command.name, about: command.about, takes: command.takes })
            .collect();
        let all = [names(&tools), names(&commands)].concat();
        for command in &mut commands {
            command.takes.extend(match command.name.as_str() {
                "use" | "remove" => known.servers.clone(),
                "read" => known.resources.clone(),
                "prompt" => known.prompts.clone(),
                "tools" | "call" => names(&tools),
                "help" => all.clone(),
                _ => Vec::new(),
            });
        }
        Self { tools, commands }
    }

    /// Offers, for a shell, the commands and the names in `tools` and `servers` that they take.
    pub(crate) fn of_shell(tools: &[(String, String)], servers: Vec<(String, String)>) -> Self {
        let known = Known { servers, ..Known::default() };
        let Self { mut commands, .. } = Self::new(&[], &known);
        for command in commands.iter_mut().filter(|one| ["tools", "call"].contains(&&*one.name)) {
            command.takes.extend_from_slice(tools);
        }
        Self { tools: Vec::new(), commands }
    }

    /// What can follow `typed`, the line up to the cursor.
    pub(crate) fn offers(&self, typed: &str) -> Vec<Offer> {
        let start = typed.rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let partial = typed.get(start..).unwrap_or_default();
        let mut before = typed.get(..start).unwrap_or_default().split_whitespace();
        let candidates = match (before.next(), before.next()) {
            (None, _) => self.tools.iter().chain(&self.commands).map(Word::offered).collect(),
            (Some("call"), Some(tool)) => takes(&self.tools, tool),
            (Some(word), _) => match takes(&self.commands, word) {
                known if known.is_empty() => takes(&self.tools, word),
                known => known,
            },
        };
        let is_given = |text: &str| typed.split_whitespace().any(|word| word.starts_with(text));
        let fitting = candidates.into_iter().filter(|(text, _)| {
            text.starts_with(partial) && (start == 0 || *text == partial || !is_given(text))
        });
        let offers = fitting.map(|(text, about)| Offer {
            start,
            is_whole: !text.ends_with('='),
            text: text.to_owned(),
            about: about.to_owned(),
        });
        offers.collect()
    }
}

impl Word {
    fn offered(&self) -> (&str, &str) {
        (&self.name, &self.about)
    }
}

fn takes<'a>(words: &'a [Word], name: &str) -> Vec<(&'a str, &'a str)> {
    let word = words.iter().find(|word| word.name == name);
    let takes = word.into_iter().flat_map(|word| &word.takes);
    takes.map(|(text, about)| (text.as_str(), about.as_str())).collect()
}

fn arguments(tool: &Tool) -> Vec<(String, String)> {
    let parameters = Parameters::parse(&tool.input_schema).named;
    let arguments = parameters.iter().map(|one| {
        let about = printable_line(one.description.as_deref().unwrap_or_default());
        (format!("{}=", printable_line(&one.name)), about)
    });
    arguments.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn completer() -> Completer {
        let schema = json!({
            "properties": {
                "message": {"type": "string", "description": "What to say"},
                "times": {"type": "integer"},
            },
        });
        let schema = schema.as_object().cloned().expect("an object");
        let echo = Tool::new("ec\u{1b}[2Jho", "Greets\u{1b}[31m\nyou", Arc::new(schema));
        let known = Known {
            servers: vec![("work".to_owned(), "https://mcp.example.com/mcp".to_owned())],
            resources: vec![("notes://mine".to_owned(), "Your notes".to_owned())],
            prompts: vec![("introduce".to_owned(), "Says who you are".to_owned())],
        };
        Completer::new(&[echo], &known)
    }

    fn texts(input: &str) -> Vec<String> {
        completer().offers(input).into_iter().map(|offer| offer.text).collect()
    }

    #[test]
    fn tools_are_offered_with_their_descriptions_and_cannot_draw_on_the_terminal() {
        let echo = Offer {
            start: 0,
            text: "echo".to_owned(),
            about: "Greets you".to_owned(),
            is_whole: true,
        };
        assert_eq!(completer().offers("ec"), [echo]);
        assert_eq!(completer().offers("")[0].text, "echo", "tools come first");
    }

    #[test]
    fn names_are_offered_where_one_is_wanted() {
        assert_eq!(texts("use w"), ["work"]);
        assert_eq!(texts("remove "), ["work"]);
        assert_eq!(texts("add w"), Vec::<String>::new());
        assert_eq!(texts("read n"), ["notes://mine"]);
        assert_eq!(texts("prompt i"), ["introduce"]);
        assert_eq!(texts("skills v"), ["verify"]);
        assert_eq!(texts("tools e"), ["echo"]);
        assert_eq!(texts("call e"), ["echo"]);
        assert_eq!(texts("help sta"), ["status"]);
        assert_eq!(texts("login "), ["--device"]);
        assert_eq!(texts("doctor --st"), ["--strict"]);
    }

    #[test]
    fn arguments_are_offered_once_each() {
        assert_eq!(texts("echo m"), ["message="]);
        assert_eq!(texts("call echo m"), ["message="]);
        assert_eq!(texts("echo message=a "), ["times="]);
        assert_eq!(texts("echo x"), Vec::<String>::new());
        assert!(!completer().offers("echo m")[0].is_whole, "the value follows at once");
    }
}
