//! The report for people.

use super::{Finding, Report, Severity};
use crate::{
    doctor::{
        evidence::Registration,
        verdicts::{Standing, Verdict},
    },
    terminal::{
        printable::printable_line,
        text::{Style, Text},
    },
};

/// How much of a client_id is shown: sealed ones fill a screen.
const MAX_SHOWN_ID_CHARS: usize = 60;
/// How many findings are worth naming as the first to fix.
const MAX_FIRST: usize = 3;

impl Severity {
    fn sign(self) -> (Style, &'static str) {
        match self {
            Self::Error => (Style::Bad, "✗"),
            Self::Warning => (Style::Warning, "!"),
            Self::Advice => (Style::Faint, "·"),
        }
    }

    fn counted(self, number: usize) -> String {
        match (self, number) {
            (Self::Advice, _) => format!("{number} advice"),
            (_, 1) => format!("1 {}", self.name()),
            _ => format!("{number} {}s", self.name()),
        }
    }
}

pub(super) fn write(report: &Report, is_complete: bool, text: &mut Text) {
    text.push_styled(Style::Strong, &format!("Examined {}", report.server));
    text.push("\n");
    if is_complete {
        write_all(report, text);
    } else {
        for finding in Severity::ALL.into_iter().flat_map(|one| report.failed(one)) {
            text.push("\n");
            write_finding(finding, text);
        }
    }
    write_first(report, text);
    write_verdicts(&report.verdicts, text);
    text.push("\n");
    for registration in &report.registrations {
        text.push(&format!("{}\n", describe_registration(registration)));
    }
    write_summary(report, is_complete, text);
}

/// Every check, group by group.
fn write_all(report: &Report, text: &mut Text) {
    for (name, findings) in &report.groups {
        text.push("\n");
        text.push_styled(Style::Strong, name);
        text.push("\n");
        for finding in findings.iter().filter(|one| one.skipped().is_none()) {
            if finding.found().is_some() {
                write_finding(finding, text);
            } else {
                write_sign((Style::Good, "✓"), finding.check.promise, text);
            }
        }
        write_not_judged(findings, text);
    }
}

fn write_sign((style, sign): (Style, &'static str), words: &str, text: &mut Text) {
    text.push_styled(style, sign);
    text.push(&format!(" {words}\n"));
}

fn write_finding(finding: &Finding, text: &mut Text) {
    let check = finding.check;
    let (style, sign) = check.severity.sign();
    text.push_styled(style, sign);
    text.push(" ");
    text.push_styled(Style::Strong, check.finding);
    text.push_styled(Style::Faint, &format!(" [{}, {}]", check.severity.name(), check.name));
    text.push("\n");
    let found = printable_line(finding.found().unwrap_or_default());
    let lines = [("found  ", &*found), ("so     ", check.consequence), ("fix    ", check.fix)];
    for (name, words) in lines {
        text.push("    ");
        text.push_styled(Style::Faint, name);
        text.push(&format!("  {words}\n"));
    }
    text.push("    ");
    text.push_styled(Style::Faint, "section");
    text.push(&format!("  {}\n", check.section));
}

/// The checks that could not be judged, by reason.
fn write_not_judged(findings: &[Finding], text: &mut Text) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for finding in findings {
        let Some(why) = finding.skipped() else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(finding.check.name),
            None => reasons.push((why, vec![finding.check.name])),
        }
    }
    for (why, names) in reasons {
        let why = printable_line(why);
        let words = format!("not judged, because {why}: {}", names.join(", "));
        write_sign((Style::Faint, "?"), &words, text);
    }
}

/// What to fix first. A single finding needs no order.
fn write_first(report: &Report, text: &mut Text) {
    let counting = Severity::ALL.into_iter().filter(|one| *one != Severity::Advice);
    let findings: Vec<_> = counting.flat_map(|one| report.failed(one)).collect();
    if findings.len() < 2 {
        return;
    }
    text.push("\n");
    text.push_styled(Style::Strong, "Fix first");
    text.push("\n");
    for (number, finding) in findings.iter().take(MAX_FIRST).enumerate() {
        text.push(&format!("  {}  {}", number + 1, finding.check.fix));
        text.push_styled(Style::Faint, &format!(" [{}]", finding.check.name));
        text.push("\n");
    }
}

impl Standing {
    fn sign(self) -> (Style, &'static str, &'static str) {
        match self {
            Self::LockedOut => (Style::Bad, "✗", "locked out"),
            Self::Hindered => (Style::Warning, "!", "hindered  "),
            Self::Unhindered => (Style::Good, "✓", "unhindered"),
            Self::OutOfReach => (Style::Faint, "?", "elsewhere "),
        }
    }
}

/// One line for the clients that the same checks stop or hinder, and one for those that none does.
fn write_verdicts(verdicts: &[Verdict], text: &mut Text) {
    text.push("\n");
    text.push_styled(Style::Strong, "Clients");
    text.push("\n");
    let mut groups: Vec<(&Verdict, Vec<String>)> = Vec::new();
    for verdict in verdicts {
        let alike = groups.iter_mut().find(|(first, _)| {
            first.standing == verdict.standing && first.because == verdict.because
        });
        match alike {
            Some((_, clients)) => clients.push(verdict.client.described()),
            None => groups.push((verdict, vec![verdict.client.described()])),
        }
    }
    groups.sort_by_key(|(verdict, _)| verdict.standing);
    for (verdict, clients) in groups {
        let (style, sign, words) = verdict.standing.sign();
        let because = match verdict.standing {
            Standing::OutOfReach => ", which cannot reach a server on this machine".to_owned(),
            Standing::Unhindered => String::new(),
            _ => format!(": {}", verdict.because.join(", ")),
        };
        text.push("  ");
        text.push_styled(style, sign);
        text.push(&format!(" {words}  {}{because}\n", clients.join(", ")));
    }
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

fn write_summary(report: &Report, is_complete: bool, text: &mut Text) {
    let mut parts: Vec<_> = Severity::ALL
        .into_iter()
        .map(|one| (one.sign().0, one.counted(report.count(one)), report.count(one)))
        .filter(|(_, _, number)| *number > 0)
        .map(|(style, words, _)| (style, words))
        .collect();
    parts.push((Style::Good, format!("{} passed", report.passed())));
    if report.not_judged() > 0 {
        parts.push((Style::Faint, format!("{} not judged", report.not_judged())));
    }
    for (number, (style, words)) in parts.into_iter().enumerate() {
        text.push(if number > 0 { ", " } else { "" });
        text.push_styled(style, &words);
    }
    if !is_complete {
        text.push_styled(Style::Faint, " (--all shows every check)");
    }
}
