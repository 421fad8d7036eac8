//! What a machine can find out about the accessibility of a page, by axe-core.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::Chromium;

/// The widest that a page may be on the narrowest screen (WCAG 2.2, success criterion 1.4.10).
const NARROWEST: u32 = 320;

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

    /// How far the page reaches beyond a screen 320 pixels wide, in pixels.
    pub async fn overflow_on_the_narrowest_screen(&self) -> i64 {
        self.resize((NARROWEST, 640)).await;
        let width = self.number("document.documentElement.scrollWidth").await;
        width - i64::from(NARROWEST)
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
