//! `cargo run -p web`: every page in every state with sample data, for design work.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use tokio::net::TcpListener;

const ADDRESS: &str = "127.0.0.1:3003";

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when even this cannot be written.
            let _ = writeln!(io::stderr(), "Cannot serve the pages on {ADDRESS}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind(ADDRESS).await?;
    writeln!(io::stdout(), "Every page in every state: http://localhost:3003")?;
    axum::serve(listener, web::preview::router()).await
}
