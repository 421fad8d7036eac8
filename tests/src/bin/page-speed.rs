//! `cargo run --release -p tests --bin page-speed`: how long the server takes for each page.
#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

use std::time::{Duration, Instant};

use tests::{browser::Browser, client::Client, stack::Stack};

/// Requests for each page.
const REQUESTS: usize = 300;

#[tokio::main]
async fn main() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    client.obtain_code(&mut browser).await;
    let consent = browser.open(&client.authorize_url(&client.authorize_parameters())).await;
    println!("| page | median | 99th percentile | bytes |\n|---|---|---|---|");
    for (name, url) in [
        ("sign-in", stack.at("/sign-in")),
        ("consent", consent.url.to_string()),
        ("device", stack.at("/device")),
        ("account", stack.at("/account")),
        ("error", stack.at("/nowhere")),
        ("home", stack.at("/")),
    ] {
        let (mut times, mut bytes) = (Vec::with_capacity(REQUESTS), 0);
        for _ in 0..REQUESTS {
            let started = Instant::now();
            bytes = browser.open(&url).await.html.len();
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).map_or(0.0, milliseconds);
        println!("| {name} | {:.2} ms | {:.2} ms | {bytes} |", at(50), at(99));
    }
}

fn milliseconds(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
