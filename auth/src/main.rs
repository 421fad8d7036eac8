//! The `auth` command; everything it does is in the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    auth::program::run(std::env::args_os()).await
}
