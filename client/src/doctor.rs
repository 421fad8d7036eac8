//! `client doctor`: examines the authorization of any MCP server from outside, and reports what
//! keeps real clients from signing in, why, and what to change.
//!
//! First `probe` sends every request and records the answers as `evidence::Evidence`. Then each
//! [`Check`] judges the evidence: a check is data and a small function without IO.

mod attack;
mod authorization;
mod challenge;
pub(crate) mod configured;
mod cross_origin;
mod evidence;
mod issuer;
mod keys;
mod landing;
mod member_types;
mod probe;
mod registration;
mod report;
mod requests;
mod resource;
mod server;
mod sign_in;
mod token;
mod verdicts;

use net::clock::Clock;
use url::Url;

use self::{
    evidence::{Evidence, Judged},
    probe::Prober,
    report::{Finding, Report},
    requests::REDIRECT_URI,
};
use crate::{
    cli::command::Format,
    error::Error,
    exit::Exit,
    http::Fetch,
    sign_in::{callback::CallbackListener, interaction::Interaction},
    terminal::output::{Output, OutputError},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// A client cannot sign in, or a user can be harmed. The exit status is 1.
    Error,
    /// Some client behaves worse than it could. The exit status is 1 with `--strict`.
    Warning,
    Advice,
}

/// One question about the server.
pub(crate) struct Check {
    /// Its stable name, `group.subject`.
    pub(crate) name: &'static str,
    /// How much it matters when the answer is no.
    pub(crate) severity: Severity,
    /// What holds if it passes, as a sentence.
    pub(crate) promise: &'static str,
    /// What does not hold if it fails, as a sentence.
    pub(crate) finding: &'static str,
    /// What a failure does to real clients.
    pub(crate) consequence: &'static str,
    pub(crate) fix: &'static str,
    pub(crate) section: &'static str,
    look: fn(&Evidence) -> Judged,
}

/// What is asked of the doctor.
#[derive(Clone, Debug)]
pub(crate) struct Examination {
    pub(crate) server: Url,
    /// Whether to sign in as well, and to try the tokens.
    pub(crate) signs_in: bool,
    /// Whether a warning is a failure.
    pub(crate) is_strict: bool,
    /// Whether the checks that passed are shown too.
    pub(crate) is_complete: bool,
    pub(crate) format: Format,
    /// The authorization server that the server should name.
    pub(crate) expected_issuer: Option<String>,
}

/// Every check, group by group, in the order in which a client meets the subject.
const GROUPS: [(&str, &[Check]); 11] = [
    ("Challenge", challenge::CHECKS),
    ("Protected resource metadata", resource::CHECKS),
    ("Issuer", issuer::CHECKS),
    ("Authorization server metadata", server::CHECKS),
    ("Keys", keys::CHECKS),
    ("Registration", registration::CHECKS),
    ("Authorization endpoint", authorization::CHECKS),
    ("Token endpoint", token::CHECKS),
    ("Browsers, caches and clocks", cross_origin::CHECKS),
    ("Attacks", attack::CHECKS),
    ("Sign-in and tokens", sign_in::CHECKS),
];

/// Examines a server, prints the report and fails if something is wrong.
pub(crate) async fn run(
    examination: &Examination,
    interaction: &Interaction,
    clock: &Clock,
) -> Result<(), Error> {
    let fetch = Fetch::new(&examination.server, interaction.explanation.clone())?;
    let output = &interaction.output;
    // The redirect URI of this listener is registered, so one client serves for everything.
    let listener = if examination.signs_in { Some(CallbackListener::bind().await?) } else { None };
    let redirect_uri =
        listener.as_ref().map_or(REDIRECT_URI.to_owned(), CallbackListener::redirect_uri);
    let mut evidence = Evidence::new(examination.server.clone(), redirect_uri);
    evidence.expected_issuer.clone_from(&examination.expected_issuer);
    let mut prober = Prober { fetch: &fetch, clock, output, evidence };
    prober.read_metadata().await?;
    prober.register().await;
    prober.try_endpoints().await;
    if let Some(listener) = listener {
        sign_in::gather(&mut prober, listener, interaction).await;
    }
    prober.register_wrongly().await;
    prober.unregister().await;
    let report = examine(prober.evidence, examination.is_strict);
    deliver(&report, examination, output)?;
    if report.fails() {
        return Err(Error::AlreadyTold(Exit::Failure));
    }
    Ok(())
}

fn deliver(report: &Report, examination: &Examination, output: &Output) -> Result<(), OutputError> {
    match examination.format {
        Format::Sarif => output.json(&report.as_sarif()),
        Format::Junit => output.data(&report.as_junit()),
        Format::Json => output.json(&report.as_json()),
        Format::Text if output.is_json() => output.json(&report.as_json()),
        Format::Text => {
            let mut text = output.new_text();
            report.write(examination.is_complete, &mut text);
            output.text(&text)
        }
    }
}

fn examine(evidence: Evidence, is_strict: bool) -> Report {
    let groups: Vec<(_, Vec<_>)> = GROUPS
        .iter()
        .map(|(name, checks)| {
            let findings =
                checks.iter().map(|check| Finding { check, judged: (check.look)(&evidence) });
            (*name, findings.collect())
        })
        .collect();
    let findings = groups.iter().flat_map(|(_, findings)| findings);
    let failed: Vec<_> =
        findings.filter(|one| one.found().is_some()).map(|one| one.check.name).collect();
    let verdicts = verdicts::judge(&evidence, &failed);
    let server = evidence.server.to_string();
    Report { server, groups, verdicts, registrations: evidence.registrations, is_strict }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> impl Iterator<Item = &'static Check> {
        GROUPS.iter().flat_map(|(_, checks)| checks.iter())
    }

    #[test]
    fn every_check_has_a_name_of_its_own_and_all_its_words() {
        let names: BTreeSet<_> = all().map(|check| check.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.len() >= 40, "{}", names.len());
        for check in all() {
            for words in [check.promise, check.finding, check.consequence, check.fix, check.section]
            {
                assert!(words.len() > 5 && !words.contains('\n'), "{}: {words}", check.name);
            }
        }
    }
}
