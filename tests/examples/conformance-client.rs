//! `conformance-client`: the client library under the suite's client scenarios. The suite gives
//! the server as the last argument and the rest in the environment.

use std::process::ExitCode;

use clap::Parser as _;
use tests::conformance::client::{Assignment, carry_out};

#[tokio::main]
async fn main() -> ExitCode {
    match carry_out(Assignment::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the suite shows this with a failure")]
fn explain(error: &client::Error) {
    eprintln!("{error}");
}
