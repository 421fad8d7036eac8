//! What the prompt offers while a line is typed: recent lines, commands, tools, arguments.

use rmcp::model::Tool;

use crate::{
    arguments::parameter::Parameters, files::history::History, terminal::printable::printable_line,
};

/// Recent lines offered at once; more would push the tools out of sight.
const MAX_RECENT: usize = 4;

/// The words of the prompt itself, and what they do.
pub(crate) const WORDS: [(&str, &str); 17] = [
    ("help", "how to use this prompt"),
    ("tools", "list the server's tools"),
    ("status", "who is signed in, and until when"),
    ("login", "sign in"),
    ("logout", "revoke and forget the tokens"),
    ("resources", "list what the server holds"),
    ("read", "read a resource by its URI"),
    ("prompts", "list the server's prompts"),
    ("prompt", "fill in a prompt: its name, then key=value"),
    ("skills", "list the server's skills; show NAME, save NAME, verify [NAME]"),
    ("servers", "list the servers that have names"),
    ("use", "go to the server of this name"),
    ("add", "give a server a name: its name, then its address"),
    ("remove", "forget the name of a server"),
    ("doctor", "examine the server's authorization"),
    ("call", "call a tool whose name is one of these words"),
    ("quit", "leave"),
];

/// Names that some words of the prompt take, each with what is said about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The servers that the user has named.
    pub(crate) servers: Vec<(String, String)>,
    /// The URIs that the server listed.
    pub(crate) resources: Vec<(String, String)>,
    /// The prompts that the server listed.
    pub(crate) prompts: Vec<(String, String)>,
}

const SKILL_WORDS: [(&str, &str); 4] = [
    ("list", "names and descriptions"),
    ("show", "one, once it has been verified"),
    ("save", "one to a folder, once it has been verified"),
    ("verify", "whether they are what the list promises"),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggestion {
    /// What is shown, with a description where there is one.
    pub(crate) shown: String,
    pub(crate) line: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Completer {
    recent: Vec<String>,
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    name: String,
    description: String,
    arguments: Vec<(String, String)>,
}

impl Completer {
    /// Offers lines of `history`, the prompt's own words, `tools`, and the names in `known`.
    pub(crate) fn new(history: &History, tools: &[Tool], known: &Known) -> Self {
        let tools = tools.iter().map(|tool| Word {
            name: printable_line(&tool.name),
            description: printable_line(tool.description.as_deref().unwrap_or_default()),
            arguments: arguments(tool),
        });
        let own = WORDS.iter().map(|(name, description)| Word {
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            arguments: match *name {
                "use" | "remove" => known.servers.clone(),
                "read" => known.resources.clone(),
                "prompt" => known.prompts.clone(),
                "skills" => SKILL_WORDS.map(|(word, about)| (word.into(), about.into())).into(),
                _ => Vec::new(),
            },
        });
        let recent = history.newest_first().map(printable_line).collect();
        Self { recent, words: tools.chain(own).collect() }
    }

    /// What to offer for `input`: recent lines first.
    pub(crate) fn suggestions(&self, input: &str) -> Vec<Suggestion> {
        let typed = input.trim_start();
        let recent = self.recent.iter().filter(|line| {
            line.starts_with(typed)
                && *line != typed
                && !self.words.iter().any(|w| w.name == **line)
        });
        let recent = recent.take(MAX_RECENT).map(|line| Suggestion::new(line, "", line.clone()));
        recent.chain(self.completions(typed)).collect()
    }

    /// What the completion key makes of `input`: as much as all suggestions have in common, like a
    /// shell; where that is nothing new, the first word or argument that fits.
    pub(crate) fn complete(&self, input: &str) -> Option<String> {
        let typed = input.trim_start();
        let mut lines = self.suggestions(input).into_iter().map(|suggestion| suggestion.line);
        let first = lines.next()?;
        let common = lines.fold(first.clone(), |common, line| common_start(&common, &line));
        if common.len() > typed.len() {
            return Some(common);
        }
        let word = self.completions(typed).into_iter().next();
        Some(word.map_or(first, |suggestion| suggestion.line))
    }

    fn completions(&self, typed: &str) -> Vec<Suggestion> {
        match typed.split_once(' ') {
            None => described(&self.words_like(typed), ""),
            Some((name, rest)) => {
                let partial = rest.rsplit(' ').next().unwrap_or_default();
                let before = typed.strip_suffix(partial).unwrap_or(typed);
                described(&self.arguments_like(name, before, partial), before)
            }
        }
    }

    fn words_like(&self, typed: &str) -> Vec<(String, &str)> {
        let fitting = self.words.iter().filter(|word| word.name.starts_with(typed));
        fitting.map(|word| (format!("{} ", word.name), word.description.as_str())).collect()
    }

    fn arguments_like(&self, name: &str, before: &str, partial: &str) -> Vec<(String, &str)> {
        let word = self.words.iter().find(|word| word.name == name);
        let arguments = word.map(|word| word.arguments.as_slice()).unwrap_or_default();
        let fitting = arguments.iter().filter(|(argument, _)| {
            let mut earlier = before.split(' ').skip(1);
            argument.starts_with(partial)
                && argument != partial
                && !earlier.any(|word| word.starts_with(argument.as_str()))
        });
        fitting.map(|(argument, about)| (argument.clone(), about.as_str())).collect()
    }
}

/// Suggestions that add one of `words` to `before`, their descriptions in one column.
fn described(words: &[(String, &str)], before: &str) -> Vec<Suggestion> {
    let width = words.iter().map(|(word, _)| word.chars().count()).max().unwrap_or_default();
    let suggestions = words.iter().map(|(word, about)| {
        Suggestion::new(&format!("{word:<width$}"), about, format!("{before}{word}"))
    });
    suggestions.collect()
}

fn common_start(one: &str, other: &str) -> String {
    let pairs = one.chars().zip(other.chars());
    pairs.take_while(|(left, right)| left == right).map(|(character, _)| character).collect()
}

impl Suggestion {
    fn new(name: &str, description: &str, line: String) -> Self {
        Self { shown: format!("{name} {description}").trim_end().to_owned(), line }
    }
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

    fn completer(lines: &[&str]) -> Completer {
        let schema = json!({
            "properties": {
                "message": {"type": "string", "description": "What to say"},
                "times": {"type": "integer"},
            },
        });
        let schema = schema.as_object().cloned().expect("an object");
        let echo = Tool::new("echo", "Greets\u{1b}[31m you", Arc::new(schema));
        let home = tempfile::tempdir().expect("a directory");
        let mut history = History::read(home.path());
        lines.iter().for_each(|line| history.add(line));
        let known = Known {
            servers: vec![("work".to_owned(), "https://mcp.example.com/mcp".to_owned())],
            resources: vec![("notes://mine".to_owned(), "Your notes".to_owned())],
            prompts: vec![("introduce".to_owned(), "Says who you are".to_owned())],
        };
        Completer::new(&history, &[echo], &known)
    }

    fn lines(completer: &Completer, input: &str) -> Vec<String> {
        completer.suggestions(input).into_iter().map(|suggestion| suggestion.line).collect()
    }

    #[test]
    fn tools_are_offered_with_their_descriptions() {
        let offered = completer(&[]).suggestions("ec");
        let echo = Suggestion { shown: "echo  Greets you".into(), line: "echo ".into() };
        assert_eq!(offered, [echo]);
        let all = completer(&[]).suggestions("");
        assert_eq!(all[0].shown, "echo       Greets you", "descriptions stand in one column");
    }

    #[test]
    fn recent_lines_come_first_newest_first() {
        let completer = completer(&["echo one", "add a=1", "tools", "echo two"]);
        assert_eq!(lines(&completer, "echo t")[0], "echo two");
        assert_eq!(lines(&completer, "")[..3], ["echo two", "add a=1", "echo one"]);
        assert_eq!(lines(&completer, "e")[..3], ["echo two", "echo one", "echo "]);
    }

    #[test]
    fn the_completion_key_adds_what_is_certain() {
        let completer = completer(&["echo ping pong", "echo ping"]);
        assert_eq!(completer.complete("ec").as_deref(), Some("echo "));
        assert_eq!(completer.complete("echo p").as_deref(), Some("echo ping"));
        assert_eq!(completer.complete("echo ").as_deref(), Some("echo message="));
        assert_eq!(completer.complete("x"), None);
    }

    #[test]
    fn names_are_completed_where_one_is_wanted() {
        let completer = completer(&[]);
        assert_eq!(lines(&completer, "use w"), ["use work"]);
        assert_eq!(lines(&completer, "remove "), ["remove work"]);
        assert_eq!(completer.suggestions("use ")[0].shown, "work https://mcp.example.com/mcp");
        assert_eq!(lines(&completer, "add w"), Vec::<String>::new());
        assert_eq!(lines(&completer, "read n"), ["read notes://mine"]);
        assert_eq!(completer.complete("prompt i").as_deref(), Some("prompt introduce"));
        assert_eq!(lines(&completer, "skills v"), ["skills verify"]);
    }

    #[test]
    fn arguments_are_completed_once_each() {
        let completer = completer(&[]);
        assert_eq!(lines(&completer, "echo m"), ["echo message="]);
        assert_eq!(lines(&completer, "echo message=a "), ["echo message=a times="]);
        assert_eq!(lines(&completer, "echo x"), Vec::<String>::new());
    }
}
