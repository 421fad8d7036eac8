//! The report as JSON.

use serde_json::{Value, json};

use super::{Finding, Report, Severity};
use crate::{
    doctor::{
        evidence::{Objection, Registration},
        verdicts::Verdict,
    },
    terminal::printable::printable_line,
};

pub(super) fn describe(report: &Report) -> Value {
    json!({
        "server": report.server,
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "advice": report.count(Severity::Advice),
        "checks": report.findings().map(finding).collect::<Vec<_>>(),
        "clients": report.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "registered": report.registrations.iter().map(registration).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
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
            described["finding"] = check.finding.into();
            described["found"] = printable_line(found).into();
            described["consequence"] = check.consequence.into();
            described["fix"] = check.fix.into();
        }
    }
    described
}

fn verdict(verdict: &Verdict) -> Value {
    json!({
        "name": verdict.client.name,
        "version": verdict.client.version,
        "known_by": verdict.client.known_by,
        "verdict": verdict.standing.name(),
        "because": verdict.because,
    })
}

fn registration(registration: &Registration) -> Value {
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
