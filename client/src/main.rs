//! The `client` command; everything it does is in the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    client::run(std::env::args_os(), client::Streams::standard()).await.into()
}
