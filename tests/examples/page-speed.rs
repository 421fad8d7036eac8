//! `cargo run --release -p tests --example page-speed`: how long the server takes for each page, over
//! HTTP on this machine, from the request to the end of the answer, and what the page weighs.
#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

use std::time::{Duration, Instant};

use tests::{people::browser::Browser, programs::client::Client, stack::Stack};

/// Requests for each page.
const REQUESTS: usize = 1000;
/// Programs that the person has allowed: as many as the account page shows at once.
const APPS: usize = 8;

#[tokio::main]
async fn main() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    for _ in 0..APPS {
        client.obtain_code(&mut browser).await;
    }
    let sign_in =
        Browser::default().open(&client.authorize_url(&client.authorize_parameters())).await;
    let sign_in = sign_in.url.to_string();
    let consent = browser.open(&client.authorize_url(&client.authorize_parameters())).await;
    let style = stack.state.brand.stylesheet().len();
    println!("| page | median | 99th percentile | bytes | with its stylesheet |");
    println!("|---|---|---|---|---|");
    for (name, url) in [
        ("sign-in", stack.at("/sign-in")),
        ("sign-in for a client", sign_in),
        ("consent", consent.url.to_string()),
        ("device", stack.at("/device")),
        ("account", stack.at("/account")),
        ("error", stack.at("/nowhere")),
        ("home", stack.at("/")),
    ] {
        let mut times = Vec::with_capacity(REQUESTS);
        let mut bytes = 0;
        for _ in 0..REQUESTS {
            let started = Instant::now();
            bytes = browser.open(&url).await.html.len();
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).map_or(0.0, milliseconds);
        let whole = bytes + style;
        println!("| {name} | {:.2} ms | {:.2} ms | {bytes} | {whole} |", at(50), at(99));
    }
}

fn milliseconds(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
