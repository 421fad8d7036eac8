//! The report as a test suite of JUnit: one test for each check.

use super::{Finding, Report};
use crate::terminal::printable::printable_line;

pub(super) fn describe(report: &Report) -> String {
    let cases: Vec<_> = report
        .groups
        .iter()
        .flat_map(|(group, findings)| findings.iter().map(|one| case(report, group, one)))
        .collect();
    let is_failure = |one: &&Finding| one.found().is_some() && report.counts(one.check.severity);
    let failures = report.findings().filter(is_failure).count();
    let tests = cases.len();
    let skipped = report.not_judged();
    let server = escaped(&report.server);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"portcullis doctor\" tests=\"{tests}\" failures=\"{failures}\">\n  \
         <testsuite name=\"{server}\" tests=\"{tests}\" failures=\"{failures}\" \
         skipped=\"{skipped}\">\n{}\n  </testsuite>\n</testsuites>",
        cases.join("\n")
    )
}

fn case(report: &Report, group: &str, finding: &Finding) -> String {
    let check = finding.check;
    let head = format!("    <testcase classname=\"{}\" name=\"{}\"", escaped(group), check.name);
    let inner = if let Some(found) = finding.found() {
        let what = escaped(check.finding);
        let told = escaped(&format!(
            "found: {}\nso: {}\nfix: {}\nsection: {}",
            printable_line(found),
            check.consequence,
            check.fix,
            check.section
        ));
        if report.counts(check.severity) {
            let kind = check.severity.name();
            format!("<failure type=\"{kind}\" message=\"{what}\">{told}</failure>")
        } else {
            format!("<system-out>{}: {what}\n{told}</system-out>", check.severity.name())
        }
    } else if let Some(why) = finding.skipped() {
        format!("<skipped message=\"{}\"/>", escaped(&printable_line(why)))
    } else {
        return format!("{head}/>");
    };
    format!("{head}>{inner}</testcase>")
}

/// Text as XML allows it: no control character is left after `printable_line`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
