//! `conformance-server`: the suite's fixture behind the real guard, with a token from a real
//! sign-in. It prints its URL and serves until it is stopped.

use std::{error::Error, net::Ipv4Addr};

use tests::{conformance, people::browser::Browser, programs::client::Client, stack::Stack};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let resource = format!("http://localhost:{}/mcp", listener.local_addr()?.port());
    let mut stack = Stack::start_with(&["--resource", &resource], &[]).await;
    stack.audience = resource.clone();
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let router = conformance::router(&resource, &stack.issuer, tokens.text("access_token"))?;
    announce(&resource);
    mcp::serve(listener, router, std::future::pending()).await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the script that starts it reads the address here")]
fn announce(resource: &str) {
    println!("{resource}");
}
