//! `conformance-authorization`: runs the suite's scenarios for authorization servers against the
//! real stack, once for each way to be a client, and plays the person at the browser.
//!
//! ```text
//! conformance-authorization <folder of Node's programs> <folder for the results>
//! ```

use std::{error::Error, net::Ipv4Addr, path::Path, process::Stdio};

use tests::{
    people::browser::Browser,
    programs::client::Client,
    servers::document_server::{Document, DocumentServer},
    stack::Stack,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{ChildStdout, Command},
};

/// Where the suite waits for the answer, on a port of its choice.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [programs, results] = arguments.as_slice() else {
        return Err("name the folder of Node's programs and one for the results".into());
    };
    let insecure = ["--insecure-metadata-documents-on-loopback", "true"];
    let stack = Stack::start_with(&insecure, &[]).await;
    stack.run_clock();
    let server = DocumentServer::start().await;
    let document = serde_json::json!({
        "client_id": server.at("/client.json"),
        "client_name": "Documented client",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
    });
    server.put("/client.json", Document::json(&document));
    let metadata = serde_json::json!({"redirect_uris": [REDIRECT_URI]});
    let options = ["--redirect-uri", REDIRECT_URI, "--auth-method", "none"];
    let clients = [
        ("pre-registered", Client::pre_registered(&stack, &options).await.id),
        ("registered", Client::register_as(&stack, metadata).await.id),
        ("metadata-document", server.at("/client.json")),
    ];
    for (name, client_id) in clients {
        run(&stack, &client_id, Path::new(programs), &Path::new(results).join(name)).await?;
    }
    Ok(())
}

/// One run of both scenarios: the second takes the metadata from the first.
async fn run(
    stack: &Stack,
    client_id: &str,
    programs: &Path,
    results: &Path,
) -> Result<(), Box<dyn Error>> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port();
    let mut suite = Command::new(programs.join("node"))
        .arg(programs.join("conformance"))
        .args(["authorization", "--url", &stack.issuer, "--client-id", client_id])
        .args(["--resource", &stack.audience, "--port", &port.to_string(), "-o"])
        .arg(results)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut said = BufReader::new(suite.stdout.take().ok_or("the suite has no voice")?);
    let url = printed_url(&mut said, &format!("{}/authorize?", stack.issuer)).await?;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        tokio::task::yield_now().await;
    }
    allow(&url).await?;
    let mut rest = String::new();
    said.read_to_string(&mut rest).await?;
    if suite.wait().await?.success() {
        Ok(())
    } else {
        Err(format!("the suite is not content with {client_id}:\n{rest}").into())
    }
}

/// The first line that the suite prints of an authorization request.
async fn printed_url(
    said: &mut BufReader<ChildStdout>,
    start: &str,
) -> Result<String, Box<dyn Error>> {
    let mut talk = String::new();
    loop {
        let mut line = String::new();
        if said.read_line(&mut line).await? == 0 {
            return Err(format!("the suite asked for no authorization:\n{talk}").into());
        }
        if line.starts_with(start) {
            return Ok(line.trim().to_owned());
        }
        talk.push_str(&line);
    }
}

/// Signs in as the default person and allows what is asked.
async fn allow(url: &str) -> Result<(), Box<dyn Error>> {
    let mut browser = Browser::default();
    let page = browser.open(url).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    let page = browser.press(&page, "decision", "allow").await;
    if page.status.is_success() && page.url.path() == "/callback" {
        Ok(())
    } else {
        Err(format!("the person ended at {}: {}", page.url, page.text()).into())
    }
}
