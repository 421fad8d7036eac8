//! The findings, for people and for programs.

use serde_json::{Value, json};

use super::{
    Check, Severity,
    evidence::{Judged, Objection, Registration},
};
use crate::terminal::{
    printable::printable_line,
    text::{Style, Text},
};

/// How much of a client_id is shown: sealed ones fill a screen.
const MAX_SHOWN_ID_CHARS: usize = 60;

pub(super) struct Finding {
    pub(super) check: &'static Check,
    pub(super) judged: Judged,
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
        let of_severity = self.findings().filter(|one| one.check.severity == severity);
        of_severity.filter(|one| matches!(one.judged, Err(Objection::Found(_)))).count()
    }

    /// Whether the exit status must say that something is wrong.
    pub(super) fn fails(&self, is_strict: bool) -> bool {
        self.failed(Severity::Error) > 0 || (is_strict && self.failed(Severity::Warning) > 0)
    }

    /// For people: groups, with a few lines for everything that is wrong. The sign before each
    /// check has the colour of its outcome.
    pub(super) fn write(&self, server: &str, text: &mut Text) {
        let lines = self.lines(server);
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                text.push("\n");
            }
            let start = line.len() - line.trim_start().len();
            let (indentation, words) = line.split_at(start);
            let sign = words.chars().next().unwrap_or_default();
            let style = match sign {
                '✓' => Some(Style::Good),
                '✗' => Some(Style::Bad),
                '!' => Some(Style::Warning),
                '?' | '·' => Some(Style::Faint),
                _ => None,
            };
            let (sign, words) = words.split_at(style.map_or(0, |_| sign.len_utf8()));
            text.push(indentation);
            text.push_styled(style.unwrap_or(Style::Faint), sign);
            text.push(words);
        }
    }

    fn lines(&self, server: &str) -> Vec<String> {
        let mut lines = vec![format!("Examined {server}")];
        for (name, findings) in &self.groups {
            let judged: Vec<_> = findings.iter().filter(|one| one.skipped().is_none()).collect();
            lines.push(String::new());
            if judged.is_empty() {
                let why = findings.iter().find_map(Finding::skipped).unwrap_or_default();
                lines.push(format!("{name}: not judged, because {}", printable_line(why)));
            } else {
                lines.push((*name).to_owned());
                lines.extend(judged.into_iter().flat_map(describe));
                lines.extend(not_judged(findings));
            }
        }
        lines.push(String::new());
        lines.extend(self.registrations.iter().map(describe_registration));
        lines.push(self.summary());
        lines
    }

    fn summary(&self) -> String {
        let parts = [
            (self.findings().filter(|one| one.judged.is_ok()).count(), "passed"),
            (self.failed(Severity::Error), "wrong"),
            (self.failed(Severity::Warning), "to mend"),
            (self.failed(Severity::Advice), "to consider"),
            (self.findings().filter_map(Finding::skipped).count(), "not judged"),
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

impl Finding {
    /// Why the check could not be judged, if it could not.
    fn skipped(&self) -> Option<&str> {
        match &self.judged {
            Err(Objection::NotAsked(why)) => Some(why),
            _ => None,
        }
    }
}

/// The checks that could not be judged, by reason.
fn not_judged(findings: &[Finding]) -> impl Iterator<Item = String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for finding in findings {
        let Some(why) = finding.skipped() else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(finding.check.name),
            None => reasons.push((why, vec![finding.check.name])),
        }
    }
    reasons.into_iter().map(|(why, names)| {
        format!("  ? not judged, because {}: {}", printable_line(why), names.join(", "))
    })
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

fn describe(finding: &Finding) -> Vec<String> {
    let Check { name, severity, promise, consequence, fix, section, .. } = finding.check;
    let Err(Objection::Found(found)) = &finding.judged else {
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
    match &finding.judged {
        Ok(()) => described["outcome"] = "passed".into(),
        Err(Objection::NotAsked(why)) => {
            described["outcome"] = "skipped".into();
            described["why"] = printable_line(why).into();
        }
        Err(Objection::Found(found)) => {
            described["outcome"] = "failed".into();
            described["found"] = printable_line(found).into();
            described["consequence"] = check.consequence.into();
            described["fix"] = check.fix.into();
        }
    }
    described
}
