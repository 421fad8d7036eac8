//! The `portcullis` command; everything it does is in the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    portcullis::run(std::env::args_os().collect()).await
}
