//! What a machine can find out about the accessibility of a page, by axe-core.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::Chromium;

/// A target in a sentence may be as small as its words (WCAG 2.2, success criterion 2.5.8); a box
/// counts with the words next to it.
const OUT_OF_REACH: &str = "
    const faults = [];
    for (const one of document.querySelectorAll('details')) one.open = true;
    for (const one of document.querySelectorAll('a, button, summary, input:not([type=hidden])')) {
        const target = one.closest('label') ?? one;
        one.scrollIntoView({block: 'center'});
        const box = target.getBoundingClientRect();
        const name = one.outerHTML.slice(0, 80);
        const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        if (box.width < 24 || box.height < 24) faults.push(`small: ${name}`);
        if (box.left < 0 || box.right > innerWidth) faults.push(`outside: ${name}`);
        if (!target.contains(seen)) faults.push(`covered by ${seen?.outerHTML.slice(0, 40)}: ${name}`);
    }
    for (const one of document.querySelectorAll('h1, h2, h3, p, li, dt, dd, code, button, label')) {
        if (one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1)
            faults.push(`cut: ${one.outerHTML.slice(0, 80)}`);
    }
    return faults;";

/// What was allowed before is folded, and need not be seen.
const HIDDEN_PERMISSIONS: &str = "
    const answers = document.querySelector('.answer');
    const bar = answers.getBoundingClientRect();
    const faults = bar.top < 0 || bar.bottom > innerHeight + 1 ? ['the answers'] : [];
    const end = Math.min(bar.top, innerHeight);
    const shown = [...document.querySelectorAll('.scopes li')].filter((one) => one.checkVisibility());
    if (shown.length === 0) faults.push('every permission');
    for (const one of shown) {
        const box = one.getBoundingClientRect();
        const precedes = one.compareDocumentPosition(answers) & Node.DOCUMENT_POSITION_FOLLOWING;
        if (!precedes) faults.push(`after the answers: ${one.innerText}`);
        else if (box.top < 0 || box.bottom > end) faults.push(`out of view: ${one.innerText}`);
    }
    return faults;";

impl Chromium {
    /// Lets scripts be put into pages whose own policy forbids them. Only tests do that.
    pub async fn bypass_policy(&self) {
        self.command("Page.setBypassCSP", json!({"enabled": true})).await;
    }

    /// Puts axe-core into the page, for [`Self::violations`].
    pub async fn load(&self, axe: &str) {
        self.page.execute(axe, Vec::new()).await.expect("axe-core loads");
    }

    /// What axe-core objects to on the page, as `rule: element`.
    pub async fn violations(&self) -> Vec<String> {
        let run = "const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ['violations']}).then(
                (report) => done(report.violations.flatMap((rule) =>
                    rule.nodes.map((node) => `${rule.id}: ${node.html}`))),
                (error) => done([String(error)]));";
        let found = self.page.execute_async(run, Vec::new()).await.expect("a report");
        let found = found.as_array().expect("a list").iter();
        found.map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// How far the page reaches beyond a screen of this width, in pixels.
    pub async fn overflow(&self, width: u32) -> i64 {
        self.resize((width, 740)).await;
        self.number("document.documentElement.scrollWidth").await - i64::from(width)
    }

    /// What a finger cannot use: links, buttons and boxes that are smaller than 24 pixels, outside
    /// of the page, or behind something else when they are scrolled to; and words that are cut.
    pub async fn out_of_reach(&self) -> Vec<String> {
        let found = self.page.execute(OUT_OF_REACH, Vec::new()).await.expect("a list");
        let found = found.as_array().expect("a list").iter();
        found.map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Which of the permissions that a page asks for cannot be seen above its answers without
    /// scrolling, and whether the answers can.
    pub async fn hidden_permissions(&self) -> Vec<String> {
        let found = self.page.execute(HIDDEN_PERMISSIONS, Vec::new()).await.expect("a list");
        let found = found.as_array().expect("a list").iter();
        found.map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Whether the first element that `selector` finds is in sight without scrolling.
    pub async fn is_in_sight(&self, selector: &str) -> bool {
        let bottom = format!("document.querySelector('{selector}').getBoundingClientRect().bottom");
        let below = self.number(&format!("Math.ceil({bottom}) - window.innerHeight")).await;
        below <= 0
    }

    async fn number(&self, expression: &str) -> i64 {
        let value = self.page.execute(&format!("return {expression}"), Vec::new()).await;
        value.ok().as_ref().and_then(Value::as_i64).expect("a whole number")
    }
}

/// The source of axe-core, which `tests/accessibility` locks and `scripts/prepare-node` installs.
pub fn axe_core() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let prepared = Command::new(root.join("scripts/prepare-node"))
        .arg("tests/accessibility")
        .current_dir(root)
        .output()
        .expect("scripts/prepare-node runs");
    assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
    let programs = String::from_utf8(prepared.stdout).expect("a path");
    let packages = Path::new(programs.trim()).parent().expect("node_modules");
    fs::read_to_string(packages.join("axe-core/axe.min.js")).expect("axe-core")
}
