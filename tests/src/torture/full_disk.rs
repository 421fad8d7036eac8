//! The disk under the database fills up and has space again, over and over, while programs sign in,
//! refresh and revoke. What `auth` has acknowledged must be there after a restart, and nothing else
//! may be lost.

use std::path::PathBuf;

use futures::future::join_all;
use reqwest::StatusCode;
use tempfile::TempDir;
use tokio::{net::TcpListener, process::Child, task::JoinSet, time::timeout};

use super::{
    replicas::{START_TIMEOUT, free_addresses, start, url_of},
    report,
    seeded::Seeded,
    small_disk::{Failure, SmallDisk},
};
use crate::{
    people::browser::{Browser, Page},
    programs::client::{Client, http},
    stack::{
        auth_options,
        github::{self, StandIn},
        program, write_secret,
    },
    waiting::before_retry,
};

/// Programs at once.
const PROGRAMS: usize = 3;
/// Actions of each program while the disk is full, and again when it is not.
const ACTIONS: usize = 12;

#[derive(Debug, Default)]
pub struct Figures {
    /// Actions that were acknowledged.
    pub acknowledged: usize,
    /// Actions that failed, and said so.
    pub refused: usize,
    /// Grants that were there after a restart.
    pub kept: usize,
    /// Revoked grants that were still revoked after a restart.
    pub revoked: usize,
    /// Browsers that were still signed in after a restart.
    pub signed_in: usize,
}

/// Fills the disk so many times. After each time there is space again, and then `auth` is killed
/// and started again.
pub async fn run(failure: Failure, rounds: usize, seed: u64) -> Figures {
    let mut server = Server::start(failure).await;
    let client = Client::register_at(&server.issuer, &server.audience).await;
    let mut programs: Vec<Program> = (0..PROGRAMS)
        .map(|number| Program {
            client: Client::at(&server.issuer, &server.audience, &client.id),
            random: Seeded::new(seed ^ (number as u64 + 1)),
            live: Vec::new(),
            revoked: Vec::new(),
            browsers: Vec::new(),
            figures: Figures::default(),
        })
        .collect();
    let mut random = Seeded::new(seed);
    act(&mut programs).await;
    for round in 1..=rounds {
        server.disk.fill(&server.auth, &mut random).await;
        act(&mut programs).await;
        assert_eq!(server.status("/health").await, StatusCode::OK, "the process is not alive");
        server.disk.clear(&server.auth).await;
        server.recovers().await;
        act(&mut programs).await;
        server.restart().await;
        for program in &mut programs {
            program.check().await;
        }
        if round.is_multiple_of(10) || round == rounds {
            report(&format!("{failure:?}: {round} of {rounds} times full"));
        }
    }
    programs.into_iter().fold(Figures::default(), |sum, program| sum.with(program.figures))
}

async fn act(programs: &mut [Program]) {
    let actions = programs.iter_mut().map(async |program| {
        for _ in 0..ACTIONS {
            program.act().await;
        }
    });
    join_all(actions).await;
}

impl Figures {
    fn with(self, other: Self) -> Self {
        Self {
            acknowledged: self.acknowledged + other.acknowledged,
            refused: self.refused + other.refused,
            kept: self.kept + other.kept,
            revoked: self.revoked + other.revoked,
            signed_in: self.signed_in + other.signed_in,
        }
    }
}

/// An `auth` whose database and stories are on a small disk.
struct Server {
    issuer: String,
    audience: String,
    disk: SmallDisk,
    auth: Child,
    options: Vec<String>,
    _github: JoinSet<()>,
    _data: TempDir,
}

impl Server {
    async fn start(failure: Failure) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let disk = SmallDisk::new(failure).await;
        write_secret(&data.path().join("secret"));
        let issuer = free_addresses(1).await.remove(0);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let audience = "http://localhost:9/mcp".to_owned();
        let mut options = auth_options(data.path(), &issuer, &url_of(&listener), &audience);
        options.remove(0);
        let database = options.iter().position(|option| option == "--database-url");
        options[database.expect("an option") + 1] =
            format!("sqlite://{}/auth.db", disk.path().display());
        let stories: PathBuf = disk.path().join("stories");
        let listen = issuer.replace("http://localhost", "127.0.0.1");
        let further = ["--story-file", &stories.display().to_string(), "--listen", &listen]
            .map(str::to_owned);
        options.extend(further);
        options.extend(
            ["--limit-failed-requests", "0", "--log", "off", "--story-size", "1"]
                .map(str::to_owned),
        );
        let mut github = JoinSet::new();
        github.spawn(async move {
            github::serve(listener, StandIn::default()).await.expect("the stand-in serves");
        });
        let auth = start_auth(&disk, &options, &issuer).await;
        Self { issuer, audience, disk, auth, options, _github: github, _data: data }
    }

    async fn restart(&mut self) {
        self.auth.kill().await.expect("a process to kill");
        self.auth = start_auth(&self.disk, &self.options, &self.issuer).await;
    }

    async fn status(&self, path: &str) -> StatusCode {
        let request = http().get(format!("{}{path}", self.issuer));
        request.send().await.expect("an answer").status()
    }

    /// Waits until it says that it is ready to write.
    async fn recovers(&self) {
        let ready = async {
            while self.status("/ready").await != StatusCode::OK {
                before_retry().await;
            }
        };
        timeout(START_TIMEOUT, ready).await.expect("a server that is ready again");
    }
}

async fn start_auth(disk: &SmallDisk, options: &[String], issuer: &str) -> Child {
    let mut command = disk.command(&program("auth"));
    command.args(options);
    start(command, issuer).await
}

/// A program, and what it was told.
struct Program {
    client: Client,
    random: Seeded,
    /// The refresh token of each grant that is to be there.
    live: Vec<String>,
    /// A refresh token of each grant that is revoked.
    revoked: Vec<String>,
    /// Browsers that are signed in.
    browsers: Vec<Browser>,
    figures: Figures,
}

impl Program {
    async fn act(&mut self) {
        let done = match self.random.below(8) {
            0..=2 => self.sign_in().await,
            3 if !self.browsers.is_empty() => self.consent_again().await,
            4 if !self.live.is_empty() => self.revoke().await,
            _ if self.live.is_empty() => self.sign_in().await,
            _ => self.refresh().await,
        };
        match done {
            Some(()) => self.figures.acknowledged += 1,
            None => self.figures.refused += 1,
        }
    }

    async fn sign_in(&mut self) -> Option<()> {
        let mut browser = Browser::default();
        let url = self.client.authorize_url(&self.client.authorize_parameters());
        let page = succeeded(browser.open(&url).await)?;
        let page = succeeded(browser.send_form(&page, "/sign-in/github").await)?;
        let page = succeeded(browser.press(&page, "user", "nick-lucas").await)?;
        self.browsers.push(browser.clone());
        self.allow(browser, page).await
    }

    /// A person who is signed in is not asked to sign in again.
    async fn consent_again(&mut self) -> Option<()> {
        let mut browser = self.random.pick(&self.browsers).clone();
        let url = self.client.authorize_url(&self.client.authorize_parameters());
        let page = succeeded(browser.open(&url).await)?;
        assert_eq!(page.url.path(), "/consent", "a session was lost: {}", page.text());
        self.allow(browser, page).await
    }

    /// A code that was given is good, or the server says that it cannot tell.
    async fn allow(&mut self, mut browser: Browser, page: Page) -> Option<()> {
        let page = succeeded(browser.press(&page, "decision", "allow").await)?;
        let code = page.query("code").unwrap_or_else(|| panic!("no code: {}", page.text()));
        let answer = self.client.try_post("/token", &self.client.code_form(&code)).await?;
        assert_eq!(answer.status, StatusCode::OK, "a code was lost: {}", answer.json);
        self.live.push(answer.text("refresh_token").to_owned());
        Some(())
    }

    /// Where the server says that it could not refresh, the token is as good as before.
    async fn refresh(&mut self) -> Option<()> {
        let chosen = self.random.below(self.live.len());
        let form = refresh_form(&self.client, &self.live[chosen]);
        let answer = self.client.try_post("/token", &form).await?;
        assert_eq!(answer.status, StatusCode::OK, "a grant was lost: {}", answer.json);
        self.live[chosen] = answer.text("refresh_token").to_owned();
        Some(())
    }

    /// Where the server could not say whether it revoked, either may be the case.
    async fn revoke(&mut self) -> Option<()> {
        let chosen = self.random.below(self.live.len());
        let token = self.live.swap_remove(chosen);
        let form = [("token", token.clone()), ("client_id", self.client.id.clone())];
        let answer = self.client.try_post("/revoke", &form).await?;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        self.revoked.push(token);
        Some(())
    }

    /// Compares what it was told with what the server knows after a restart.
    async fn check(&mut self) {
        for token in &mut self.live {
            let answer = self.client.refresh(token).await;
            assert_eq!(answer.status, StatusCode::OK, "a grant was lost: {}", answer.json);
            *token = answer.text("refresh_token").to_owned();
        }
        for token in &self.revoked {
            let answer = self.client.refresh(token).await;
            assert_eq!(answer.text("error"), "invalid_grant", "a zombie: {}", answer.json);
        }
        for browser in &mut self.browsers {
            let page =
                browser.open(&self.client.authorize_url(&self.client.authorize_parameters())).await;
            assert_eq!(page.url.path(), "/consent", "a session was lost: {}", page.text());
        }
        self.figures.kept += self.live.len();
        self.figures.revoked += self.revoked.len();
        self.figures.signed_in += self.browsers.len();
        // The next round starts with few, so that rounds do not grow. The browsers of one person are
        // limited: the server signs out the oldest.
        self.live.truncate(4);
        self.revoked.clear();
        self.browsers.clear();
    }
}

fn refresh_form(client: &Client, token: &str) -> [(&'static str, String); 3] {
    [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.id.clone()),
        ("refresh_token", token.to_owned()),
    ]
}

/// The page, unless it tells of trouble at the server.
fn succeeded(page: Page) -> Option<Page> {
    (!page.status.is_server_error()).then_some(page)
}
