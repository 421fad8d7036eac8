//! A real browser: Chromium without a window, driven through chromedriver.

pub mod accessibility;
mod keyboard;
pub mod picture;

use std::{path::Path, process::Stdio};

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::browser::http;

/// A browser of its own profile. It ends with this value.
pub struct Chromium {
    page: Client,
    http: reqwest::Client,
    address: String,
    _driver: Driver,
    _profile: TempDir,
}

/// A running chromedriver and the browser that it started: one process group, which ends with this
/// value, even where a test failed before it closed the browser.
struct Driver {
    process: Child,
}

impl Chromium {
    /// Opens a browser, with or without JavaScript.
    pub async fn start(with_javascript: bool) -> Self {
        Self::start_with(with_javascript, None).await
    }

    /// Opens a browser in which pages of `issuer` may open links of a private-use scheme without
    /// asking. They are handed to a program of the name `xdg-open` in a directory.
    pub async fn start_with_app(issuer: &str, scheme: &str, directory: &Path) -> Self {
        Self::start_with(false, Some((issuer, scheme, directory))).await
    }

    async fn start_with(with_javascript: bool, app: Option<(&str, &str, &Path)>) -> Self {
        let (driver, address) = start_driver(app.map(|(_, _, directory)| directory)).await;
        let profile = tempfile::tempdir().expect("a directory");
        let javascript = if with_javascript { 1 } else { 2 };
        let mut preferences =
            json!({"profile.managed_default_content_settings.javascript": javascript});
        if let Some((issuer, scheme, _)) = app {
            let pairs = json!({issuer: {scheme: true}});
            preferences["protocol_handler"] = json!({"allowed_origin_protocol_pairs": pairs});
        }
        let options = json!({
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
                "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--hide-scrollbars",
                "--window-size=1280,900",
                format!("--user-data-dir={}", profile.path().display()),
            ],
            "prefs": preferences,
        });
        let capabilities = Map::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let page = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&address)
            .await
            .expect("a browser");
        Self { page, http: http(1), address, _driver: driver, _profile: profile }
    }

    pub async fn open(&self, url: &str) {
        self.page.goto(url).await.expect("a page");
    }

    /// Waits for the first element that `selector` finds, and presses it.
    pub async fn press(&self, selector: &str) {
        let element = self.page.wait().for_element(Locator::Css(selector)).await;
        element.expect(selector).click().await.expect("a press");
    }

    /// Waits for an element and reads it.
    pub async fn read(&self, selector: &str) -> String {
        let element = self.page.wait().for_element(Locator::Css(selector)).await;
        element.expect(selector).text().await.expect("text")
    }

    /// Waits for the page with this heading.
    pub async fn wait_for_heading(&self, heading: &str) {
        let path = format!("//h1[normalize-space()='{heading}']");
        self.page.wait().for_element(Locator::XPath(&path)).await.expect(heading);
    }

    /// Makes the window this large.
    pub async fn resize(&self, (width, height): (u32, u32)) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Prefers `light` or `dark`, and no motion: a colour on its way to another is neither.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.command("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Ends the browser.
    pub async fn close(self) {
        self.page.close().await.expect("an end");
    }

    async fn command(&self, command: &str, parameters: Value) -> Value {
        let session = self.page.session_id().await.expect("a session").expect("a session");
        let url = format!("{}/session/{session}/goog/cdp/execute", self.address);
        let body = json!({"cmd": command, "params": parameters});
        let answer = self.http.post(url).json(&body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{command} failed");
        let mut answer: Value = answer.json().await.expect("JSON");
        answer["value"].take()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(id) = self.process.id() {
            let group = format!("-{id}");
            let _ = std::process::Command::new("kill").args(["-KILL", "--", &group]).status();
        }
    }
}

/// Starts chromedriver on a port of its own choice, which it prints.
async fn start_driver(programs: Option<&Path>) -> (Driver, String) {
    let mut command = Command::new("chromedriver");
    if let Some(programs) = programs {
        command.env("PATH", format!("{}:/usr/bin:/bin", programs.display()));
    }
    let mut process = command
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver; `make test` installs it or says how");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let driver = Driver { process };
    while let Some(line) = lines.next_line().await.expect("a line") {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            let address = format!("http://localhost:{}", port.trim_end_matches('.'));
            // Its further output must not fill the pipe.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (driver, address);
        }
    }
    panic!("chromedriver did not start")
}
