//! The findings, for people and for programs.

use serde_json::{Value, json};

use super::{Check, Severity, evidence::Registration};
use crate::terminal::printable::printable_line;

/// How much of a client_id is shown: sealed ones fill a screen.
const MAX_SHOWN_ID_CHARS: usize = 60;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed(String),
    /// Why it could not be judged.
    Skipped(String),
}

/// A check and its result.
pub(super) struct Finding {
    pub(super) check: &'static Check,
    pub(super) outcome: Outcome,
}

pub(super) struct Report {
    pub(super) groups: Vec<(&'static str, Vec<Finding>)>,
    /// The clients that the examination registered.
    pub(super) registrations: Vec<Registration>,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

impl Report {
    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.groups.iter().flat_map(|(_, findings)| findings)
    }

    fn failed(&self, severity: Severity) -> usize {
        let failed = |one: &&Finding| matches!(one.outcome, Outcome::Failed(_));
        self.findings().filter(failed).filter(|one| one.check.severity == severity).count()
    }

    /// Whether the exit status must say that something is wrong.
    pub(super) fn fails(&self, is_strict: bool) -> bool {
        self.failed(Severity::Error) > 0 || (is_strict && self.failed(Severity::Warning) > 0)
    }

    /// For people: groups, with a few lines for everything that is wrong.
    pub(super) fn as_text(&self, server: &str) -> String {
        let mut lines = vec![format!("Examined {server}")];
        for (name, findings) in &self.groups {
            let judged = |one: &&Finding| !matches!(one.outcome, Outcome::Skipped(_));
            lines.push(String::new());
            if findings.iter().any(|one| judged(&one)) {
                lines.push((*name).to_owned());
                lines.extend(findings.iter().filter(judged).flat_map(describe));
                lines.extend(not_judged(findings));
            } else {
                lines.push(format!("{name}: not judged, because {}", reason(findings)));
            }
        }
        lines.push(String::new());
        lines.extend(self.registrations.iter().map(describe_registration));
        lines.push(self.summary());
        lines.join("\n")
    }

    fn summary(&self) -> String {
        let count = |wanted: fn(&Outcome) -> bool| {
            self.findings().filter(|one| wanted(&one.outcome)).count()
        };
        let parts = [
            (count(|outcome| *outcome == Outcome::Passed), "passed"),
            (self.failed(Severity::Error), "wrong"),
            (self.failed(Severity::Warning), "to mend"),
            (self.failed(Severity::Advice), "to consider"),
            (count(|outcome| matches!(outcome, Outcome::Skipped(_))), "not judged"),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        parts.map(|(number, words)| format!("{number} {words}")).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn as_json(&self, server: &str) -> Value {
        let checks: Vec<_> = self.findings().map(as_json).collect();
        json!({
            "server": server,
            "errors": self.failed(Severity::Error),
            "warnings": self.failed(Severity::Warning),
            "advice": self.failed(Severity::Advice),
            "checks": checks,
            "registered": self.registrations.iter().map(registration_as_json).collect::<Vec<_>>(),
        })
    }
}

/// The checks that could not be judged, by reason.
fn not_judged(findings: &[Finding]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for finding in findings {
        let Outcome::Skipped(why) = &finding.outcome else { continue };
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, names)) => names.push(finding.check.name),
            None => reasons.push((why, vec![finding.check.name])),
        }
    }
    let line = |(why, names): (&str, Vec<&str>)| {
        format!("  ? not judged, because {}: {}", printable_line(why), names.join(", "))
    };
    reasons.into_iter().map(line).collect()
}

fn describe_registration(registration: &Registration) -> String {
    let Registration { client_id, endpoint, deletion } = registration;
    let mut shown: String = client_id.chars().take(MAX_SHOWN_ID_CHARS).collect();
    if shown.len() < client_id.len() {
        shown.push('…');
    }
    let end = match deletion {
        Ok(()) => "and deleted it again".to_owned(),
        Err(why) => format!("and could not delete it: {why}"),
    };
    printable_line(&format!("Registered the client {shown} at {endpoint} {end}."))
}

fn registration_as_json(registration: &Registration) -> Value {
    let Registration { client_id, endpoint, deletion } = registration;
    let mut described = json!({
        "client_id": client_id,
        "endpoint": endpoint.as_str(),
        "deleted": deletion.is_ok(),
    });
    if let Err(why) = deletion {
        described["why"] = printable_line(why).into();
    }
    described
}

fn reason(findings: &[Finding]) -> String {
    let reasons = findings.iter().find_map(|one| match &one.outcome {
        Outcome::Skipped(why) => Some(why.as_str()),
        _ => None,
    });
    printable_line(reasons.unwrap_or("there was nothing to ask"))
}

fn describe(finding: &Finding) -> Vec<String> {
    let Check { name, severity, promise, consequence, fix, section, .. } = finding.check;
    let Outcome::Failed(found) = &finding.outcome else {
        return vec![format!("  ✓ {promise}")];
    };
    let sign = match severity {
        Severity::Error => "✗",
        Severity::Warning => "!",
        Severity::Advice => "·",
    };
    vec![
        format!("  {sign} {promise}? No.  [{name}, {}]", severity.name()),
        format!("      found    {}", printable_line(found)),
        format!("      so       {consequence}"),
        format!("      fix      {fix}"),
        format!("      section  {section}"),
    ]
}

fn as_json(finding: &Finding) -> Value {
    let check = finding.check;
    let mut described = json!({
        "name": check.name,
        "severity": check.severity.name(),
        "promise": check.promise,
        "section": check.section,
    });
    match &finding.outcome {
        Outcome::Passed => described["outcome"] = "passed".into(),
        Outcome::Skipped(why) => {
            described["outcome"] = "skipped".into();
            described["why"] = printable_line(why).into();
        }
        Outcome::Failed(found) => {
            described["outcome"] = "failed".into();
            described["found"] = printable_line(found).into();
            described["consequence"] = check.consequence.into();
            described["fix"] = check.fix.into();
        }
    }
    described
}
