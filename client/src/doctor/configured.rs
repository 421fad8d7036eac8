//! `client doctor --config`: what the servers of a person's other MCP clients publish.
//!
//! No client is registered and nobody signs in, so that a look at all of them leaves nothing behind.

mod files;

use std::path::{Path, PathBuf};

use serde_json::json;
use url::Url;

use self::files::Configured;
use super::{
    Severity, evidence::Evidence, examine, probe::Prober, report::Report, requests::REDIRECT_URI,
};
use crate::{
    error::Error,
    exit::Exit,
    http::Fetch,
    session::options::ConnectionOptions,
    terminal::{
        printable::printable_line,
        text::{Style, Text},
    },
};

/// What became of the look at one server.
enum Look {
    Report(Box<Report>, Option<String>),
    Unreachable(String),
}

/// Examines the servers that `files` name, or those that the known clients of this person do, and
/// fails if something is wrong with one.
pub(crate) async fn run(
    files: &[PathBuf],
    home: Option<&Path>,
    options: &ConnectionOptions,
    is_strict: bool,
) -> Result<(), Error> {
    let servers = files::read(files, home)?;
    let output = &options.interaction.output;
    let mut looks = Vec::new();
    for server in &servers {
        looks.push(look(&server.address, options, is_strict).await);
    }
    if output.is_json() {
        let described = servers.iter().zip(&looks).map(|(server, look)| record(server, look));
        output.json(&described.collect::<Vec<_>>())?;
    } else {
        let mut text = output.new_text();
        for (server, look) in servers.iter().zip(&looks) {
            write(server, look, &mut text);
        }
        text.push(&summary(&looks));
        output.text(&text)?;
    }
    if looks.iter().any(Look::is_wrong) {
        return Err(Error::AlreadyTold(Exit::Failure));
    }
    Ok(())
}

async fn look(address: &Url, options: &ConnectionOptions, is_strict: bool) -> Look {
    let output = &options.interaction.output;
    let fetch = match Fetch::new(address, options.interaction.explanation.clone()) {
        Ok(fetch) => fetch,
        Err(error) => return Look::Unreachable(error.to_string()),
    };
    let evidence = Evidence::new(address.clone(), REDIRECT_URI.to_owned());
    let mut prober = Prober { fetch: &fetch, clock: &options.clock, output, evidence };
    if let Err(error) = prober.read_metadata().await {
        return Look::Unreachable(error.to_string());
    }
    let issuer = prober.evidence.announced_issuer().ok().map(printable_line);
    Look::Report(Box::new(examine(prober.evidence, is_strict)), issuer)
}

impl Look {
    fn is_wrong(&self) -> bool {
        match self {
            Self::Report(report, _) => report.fails(),
            Self::Unreachable(_) => true,
        }
    }
}

fn write(server: &Configured, look: &Look, text: &mut Text) {
    let (style, sign) = match look {
        Look::Unreachable(_) => (Style::Faint, "?"),
        Look::Report(report, _) if report.fails() => (Style::Bad, "✗"),
        Look::Report(..) => (Style::Good, "✓"),
    };
    text.push_styled(style, sign);
    text.push(" ");
    text.push_styled(Style::Strong, &printable_line(&server.name));
    text.push(&format!("  {} ({})\n", server.shown_address(), server.file.display()));
    match look {
        Look::Unreachable(why) => {
            let why = server.without_secrets(why);
            text.push(&format!("    {}\n", printable_line(&why)));
        }
        Look::Report(report, issuer) => {
            let place = issuer.as_ref().map_or_else(
                || "names no authorization server".to_owned(),
                |issuer| format!("people sign in at {issuer}"),
            );
            text.push(&format!("    {place}\n"));
            for severity in [Severity::Error, Severity::Warning] {
                for finding in report.failed(severity) {
                    let check = finding.check;
                    text.push(&format!("    {}: {} ", severity.name(), check.finding));
                    text.push_styled(Style::Faint, &format!("[{}]", check.name));
                    text.push("\n");
                }
            }
        }
    }
}

fn summary(looks: &[Look]) -> String {
    let wrong = looks.iter().filter(|look| look.is_wrong()).count();
    let servers = if looks.len() == 1 { "server" } else { "servers" };
    format!(
        "\n{} {servers}, {wrong} with something wrong. `client doctor URL` examines one in full.",
        looks.len()
    )
}

fn record(server: &Configured, look: &Look) -> serde_json::Value {
    let mut described = json!({
        "name": server.name,
        "address": server.shown_address(),
        "file": server.file.display().to_string(),
    });
    match look {
        Look::Unreachable(why) => {
            described["unreachable"] = printable_line(&server.without_secrets(why)).into();
        }
        Look::Report(report, issuer) => {
            described["issuer"] = issuer.clone().into();
            let report = server.without_secrets(&report.as_json().to_string());
            described["report"] = serde_json::from_str(&report).unwrap_or_default();
        }
    }
    described
}
