//! Programs that run as processes of their own.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use crate::waiting::before_retry;

/// A port that was free a moment ago.
pub async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Starts a server, and gives what it has logged up to the line that contains `ready`.
pub async fn start_server(command: &mut Command, ready: &str) -> (Child, String) {
    let mut child = command.stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("a process");
    let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
    let mut log = String::new();
    while !log.contains(ready) {
        let line = lines.next_line().await.expect("a line");
        log.push_str(&line.unwrap_or_else(|| panic!("the server has ended: {log}")));
        log.push('\n');
    }
    // Whatever it says later must not fill the pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, log)
}

/// Starts a server that does not say when it is ready, and waits until its port takes connections.
pub async fn start_silent_server(command: &mut Command, port: u16) -> Child {
    let mut child = command.kill_on_drop(true).spawn().expect("a process");
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(child.try_wait().expect("a state").is_none(), "the server has ended");
        before_retry().await;
    }
    child
}

/// Sends a signal such as `-TERM`.
pub async fn send_signal(child: &Child, signal: &str) {
    let id = child.id().expect("a running process").to_string();
    let sent = Command::new("kill").args([signal, &id]).status().await.expect("kill");
    assert!(sent.success(), "kill {signal} {id}");
}

/// Kills a process, given as `/proc` names it.
pub async fn kill(id: &str) {
    let sent = Command::new("kill").args(["-9", id]).status().await.expect("kill");
    assert!(sent.success(), "kill -9 {id}");
}

/// Waits until a process has ended and its parent has taken notice.
pub async fn until_gone(id: &str) {
    let place = Path::new("/proc").join(id);
    while place.exists() {
        before_retry().await;
    }
}
