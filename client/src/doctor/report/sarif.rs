//! The report as SARIF 2.1.0, which code scanning reads.

use serde_json::{Value, json};

use super::{Finding, Report, Severity};
use crate::terminal::printable::printable_line;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

impl Severity {
    /// SARIF §3.27.10 has words of its own.
    fn level(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Advice => "note",
        }
    }
}

pub(super) fn describe(report: &Report) -> Value {
    let rules: Vec<_> = report.findings().map(rule).collect();
    let results: Vec<_> =
        report.findings().filter_map(|finding| result(&report.server, finding)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "portcullis doctor",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    })
}

fn rule(finding: &Finding) -> Value {
    let check = finding.check;
    json!({
        "id": check.name,
        "shortDescription": {"text": check.finding},
        "fullDescription": {"text": check.consequence},
        "help": {"text": format!("{} ({})", check.fix, check.section)},
        "defaultConfiguration": {"level": check.severity.level()},
    })
}

fn result(server: &str, finding: &Finding) -> Option<Value> {
    let found = printable_line(finding.found()?);
    let check = finding.check;
    Some(json!({
        "ruleId": check.name,
        "level": check.severity.level(),
        "message": {"text": format!("{}: {found}. Fix: {}", check.finding, check.fix)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": server}}}],
    }))
}
