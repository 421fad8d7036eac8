//! What the checks found, and how it is delivered: to people, and to programs in three formats.

mod junit;
mod page;
mod record;
mod sarif;

use serde_json::Value;

use super::{
    Check, Severity,
    evidence::{Judged, Objection, Registration},
    verdicts::Verdict,
};
use crate::terminal::text::Text;

pub(super) struct Finding {
    pub(super) check: &'static Check,
    pub(super) judged: Judged,
}

pub(super) struct Report {
    pub(super) server: String,
    pub(super) groups: Vec<(&'static str, Vec<Finding>)>,
    pub(super) verdicts: Vec<Verdict>,
    /// The clients that the examination registered.
    pub(super) registrations: Vec<Registration>,
    /// Whether a warning is a failure.
    pub(super) is_strict: bool,
}

impl Severity {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Advice];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

impl Finding {
    /// What is wrong, if something is.
    pub(super) fn found(&self) -> Option<&str> {
        match &self.judged {
            Err(Objection::Found(found)) => Some(found),
            _ => None,
        }
    }

    /// Why the check could not be judged, if it could not.
    fn skipped(&self) -> Option<&str> {
        match &self.judged {
            Err(Objection::NotAsked(why)) => Some(why),
            _ => None,
        }
    }
}

impl Report {
    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.groups.iter().flat_map(|(_, findings)| findings)
    }

    pub(super) fn failed(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings()
            .filter(move |one| one.check.severity == severity)
            .filter(|one| one.found().is_some())
    }

    fn count(&self, severity: Severity) -> usize {
        self.failed(severity).count()
    }

    fn passed(&self) -> usize {
        self.findings().filter(|one| one.judged.is_ok()).count()
    }

    fn not_judged(&self) -> usize {
        self.findings().filter_map(Finding::skipped).count()
    }

    /// Whether a finding of this severity is a failure.
    fn counts(&self, severity: Severity) -> bool {
        severity == Severity::Error || (self.is_strict && severity == Severity::Warning)
    }

    /// Whether the exit status must say that something is wrong.
    pub(super) fn fails(&self) -> bool {
        Severity::ALL.into_iter().any(|one| self.counts(one) && self.count(one) > 0)
    }

    /// For people: what is wrong, what to fix first, and what it means for the clients of today;
    /// with `is_complete`, the checks that passed and those that could not be judged too.
    pub(super) fn write(&self, is_complete: bool, text: &mut Text) {
        page::write(self, is_complete, text);
    }

    /// The whole report as JSON.
    pub(super) fn as_json(&self) -> Value {
        record::describe(self)
    }

    /// For code scanning: SARIF 2.1.0.
    pub(super) fn as_sarif(&self) -> Value {
        sarif::describe(self)
    }

    /// For continuous integration: a test suite of JUnit, in XML.
    pub(super) fn as_junit(&self) -> String {
        junit::describe(self)
    }
}
