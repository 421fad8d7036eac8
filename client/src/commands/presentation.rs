//! Shows the answers of a server as text.

use std::io;

use rmcp::model::{CallToolResult, ContentBlock, Resource, ResourceContents};
use serde::Serialize;
use serde_json::{Map, Value};

use self::table::{rows, table};
use crate::{
    arguments::parameter::in_words,
    error::Error,
    files::received::{KeepError, Received},
    session::client::Client,
    terminal::{output::Output, printable::printable_line},
};

mod table;

const UNKNOWN: &str = "[content of a kind this client does not know; `--json` shows it]";

/// Prints what the server of `client` lists, each as `describe` has it and with `separator` between
/// two, or says that it has `none`.
pub(super) fn print_list<T: Serialize>(
    client: &Client,
    items: &[T],
    describe: fn(&T) -> String,
    separator: &str,
    none: &str,
) -> Result<(), Error> {
    let output = &client.output;
    if output.is_json() {
        output.json(&items)?;
    } else if items.is_empty() {
        output.say(&format!("{} {none}.", client.server));
    } else {
        output.data(&items.iter().map(describe).collect::<Vec<_>>().join(separator))?;
    }
    Ok(())
}

/// Turns the answer of a server into text. Binary content is written to files that the text names.
pub(crate) struct Presenter<'a> {
    received: &'a Received,
    columns: Option<usize>,
    name: &'a str,
    failure: Option<io::Error>,
}

impl<'a> Presenter<'a> {
    /// `name` is the tool, prompt or resource that answers; files are named after it.
    pub(crate) fn new(received: &'a Received, columns: Option<usize>, name: &'a str) -> Self {
        Self { received, columns, name, failure: None }
    }

    /// Writes the texts in `shown`. If a file could not be written, that is an error afterwards.
    pub(crate) fn write(self, output: &Output, shown: &[String]) -> Result<(), Error> {
        output.data(&shown.join("\n"))?;
        self.failure.map_or(Ok(()), |reason| Err(Error::NotKept(reason)))
    }

    /// The text of `result`: its structured content if the text only repeats that, as servers do
    /// for older clients, otherwise its content.
    pub(crate) fn result(&mut self, result: &CallToolResult) -> Vec<String> {
        match &result.structured_content {
            Some(value) if adds_nothing(&result.content, value) => {
                vec![structured(value, self.columns)]
            }
            _ => result.content.iter().map(|block| self.block(block)).collect(),
        }
    }

    /// The text of one part of an answer.
    pub(crate) fn block(&mut self, block: &ContentBlock) -> String {
        match block {
            ContentBlock::Text(text) => text.text.clone(),
            ContentBlock::Image(image) => {
                self.binary("image", self.name, &image.mime_type, &image.data)
            }
            ContentBlock::Audio(audio) => {
                self.binary("audio", self.name, &audio.mime_type, &audio.data)
            }
            ContentBlock::ResourceLink(link) => self::link(link),
            ContentBlock::Resource(embedded) => match &embedded.resource {
                ResourceContents::TextResourceContents { uri, text, .. } => {
                    format!("[resource {}]\n{text}", printable_line(uri))
                }
                other => self.resource(other),
            },
            _ => UNKNOWN.to_owned(),
        }
    }

    /// The text of a resource, or the name of the file that now holds it.
    pub(crate) fn resource(&mut self, contents: &ResourceContents) -> String {
        match contents {
            ResourceContents::TextResourceContents { text, .. } => text.clone(),
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                let kind = mime_type.as_deref().unwrap_or("data");
                self.binary(
                    &format!("resource {}", printable_line(uri)),
                    last_part(uri),
                    kind,
                    blob,
                )
            }
            _ => UNKNOWN.to_owned(),
        }
    }

    fn binary(&mut self, what: &str, name: &str, kind: &str, base64: &str) -> String {
        let about = format!("{what}, {}", printable_line(kind));
        match self.received.keep(name, kind, base64) {
            Ok(kept) => format!("[{about}, {}: {}]", size(kept.size), kept.path.display()),
            Err(KeepError::NotBase64) => {
                format!("[{about}, which cannot be decoded; `--json` has it as it came]")
            }
            Err(KeepError::Io { directory, reason }) => {
                let text = format!("[{about}, not kept: cannot write to {}]", directory.display());
                self.failure.get_or_insert(reason);
                text
            }
        }
    }
}

/// The end of a URI's path, without its ending.
fn last_part(uri: &str) -> &str {
    let path = uri.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let file = path.rsplit(['/', ':']).next().unwrap_or_default();
    file.split_once('.').map_or(file, |(stem, _)| stem)
}

/// What can be read, and how big it is.
fn link(link: &Resource) -> String {
    let title = link.title.as_deref().unwrap_or(&link.name);
    let kind = link.mime_type.as_deref().map(printable_line);
    let size = link.size.and_then(|bytes| usize::try_from(bytes).ok()).map(size);
    let facts = [kind, size].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let facts = if facts.is_empty() { facts } else { format!(" ({facts})") };
    let about = link.description.as_deref().map(|about| format!(": {}", printable_line(about)));
    let uri = printable_line(&link.uri);
    let title = printable_line(title);
    format!("[resource {uri}] {title}{facts}{}", about.unwrap_or_default())
}

fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

fn adds_nothing(content: &[ContentBlock], value: &Value) -> bool {
    content.iter().all(|block| match block {
        ContentBlock::Text(text) => {
            serde_json::from_str::<Value>(&text.text).is_ok_and(|read| read == *value)
        }
        _ => false,
    })
}

/// Rows as a table; else one member per line, where all are plain values, lists of them, or rows;
/// else indented JSON.
fn structured(value: &Value, columns: Option<usize>) -> String {
    if let Some(rows) = rows(value) {
        return table(&rows, columns);
    }
    let shown = value.as_object().and_then(|members| members_shown(members, columns));
    shown.unwrap_or_else(|| format!("{value:#}"))
}

fn members_shown(members: &Map<String, Value>, columns: Option<usize>) -> Option<String> {
    let (lists, plain): (Vec<_>, Vec<_>) =
        members.iter().partition(|(_, value)| rows(value).is_some());
    let plain: Vec<_> =
        plain.iter().map(|(name, value)| Some((*name, cell(value)?))).collect::<Option<_>>()?;
    let width = plain.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let plain = plain.iter().map(|(name, value)| format!("{name:<width$}  {value}"));
    let plain = plain.collect::<Vec<_>>().join("\n");
    // The only list needs no name, if nothing else is there.
    let has_names = !plain.is_empty() || lists.len() > 1;
    let lists = lists.iter().filter_map(|(name, value)| {
        let table = table(&rows(value)?, columns);
        Some(if has_names { format!("{}:\n{table}", printable_line(name)) } else { table })
    });
    let parts = [plain].into_iter().filter(|plain| !plain.is_empty()).chain(lists);
    Some(parts.collect::<Vec<_>>().join("\n\n"))
}

/// A plain value, or a list of plain values, in one line.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            Some(items.iter().map(plain).collect::<Option<Vec<_>>>()?.join(", "))
        }
        value => plain(value),
    }
}

fn plain(value: &Value) -> Option<String> {
    (!value.is_object() && !value.is_array()).then(|| in_words(value))
}

#[cfg(test)]
mod tests;
