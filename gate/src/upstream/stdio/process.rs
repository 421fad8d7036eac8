//! A child process: its pipes, its limits, and its end.

use std::{io, pin::pin, process::Stdio, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::FutureExt;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    link::Link,
    message::{MAX_LOG_LINE, printable},
};
use crate::config::child::ChildOptions;

/// Maximum length of a message of a child, in bytes.
const MAX_MESSAGE: usize = 16 << 20;
/// How long a child may take to end once its input has ended.
const EOF_TIMEOUT: Duration = Duration::from_secs(2);
/// How long it may take after SIGTERM, before SIGKILL.
const TERM_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the rest of its output is read after its end.
const REST_TIMEOUT: Duration = Duration::from_millis(500);

/// Starts children and waits for their end. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Starter {
    options: Arc<ChildOptions>,
    running: TaskTracker,
    stopping: CancellationToken,
}

/// A child that runs. Dropping it stops the child.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) link: Arc<Link>,
    stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.link.close();
        self.stop.cancel();
    }
}

impl Starter {
    pub(super) fn new(options: ChildOptions) -> Self {
        Self {
            options: options.into(),
            running: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    pub(super) fn options(&self) -> &ChildOptions {
        &self.options
    }

    /// Children that run now, or are about to end.
    pub(super) fn count(&self) -> usize {
        self.running.len()
    }

    /// Starts a child.
    pub(super) fn start(&self, shared: bool) -> io::Result<Running> {
        let Some((program, arguments)) = self.options.command.split_first() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.options.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it starts ends with it, and Ctrl-C reaches the gate alone.
            .process_group(0)
            .kill_on_drop(true);
        if let Some(directory) = &self.options.directory {
            command.current_dir(directory);
        }
        let child = command.spawn().inspect_err(|error| {
            tracing::error!(program, %error, "the child cannot be started");
        })?;
        limit(&child, &self.options);
        let (link, to_child) = Link::new(shared);
        let stop = self.stopping.child_token();
        self.running.spawn(run(child, link.clone(), to_child, stop.clone()));
        Ok(Running { link, stop })
    }

    /// Stops all children, and waits until they have ended.
    pub(super) async fn stop(&self) {
        self.stopping.cancel();
        self.running.close();
        self.running.wait().await;
    }
}

/// Carries messages until the child ends or must end.
async fn run(
    mut child: Child,
    link: Arc<Link>,
    to_child: mpsc::Receiver<Bytes>,
    stop: CancellationToken,
) {
    let id = child.id();
    tracing::info!(pid = id, "the child has started");
    if let Some(errors) = child.stderr.take() {
        tokio::spawn(read_lines(errors, MAX_LOG_LINE, move |line| {
            tracing::info!(pid = id, "child: {}", printable(line));
        }));
    }
    let input = child.stdin.take();
    let output = child.stdout.take();
    let reading = async {
        if let Some(output) = output {
            read_lines(output, MAX_MESSAGE, |line| link.take_line(line)).await;
        }
    };
    let mut reading = pin!(reading.fuse());
    let writing = async {
        if let Some(input) = input {
            write_lines(input, to_child).await;
        }
    };
    tokio::select! {
        () = &mut reading => {}
        () = writing => {}
        _ = child.wait() => {
            // What it wrote before its end may be answers.
            let _ = timeout(REST_TIMEOUT, &mut reading).await;
        }
        () = stop.cancelled() => {}
    }
    link.close();
    let mut ending = pin!(end(&mut child, id));
    // Until its end the child may write; if its output were closed, it would end with an error.
    let status = loop {
        tokio::select! {
            status = &mut ending => break status,
            () = &mut reading => {}
        }
    };
    match status {
        Ok(status) => tracing::info!(pid = id, %status, "the child has ended"),
        Err(error) => tracing::error!(pid = id, %error, "the child cannot be waited for"),
    }
}

async fn write_lines(mut input: ChildStdin, mut lines: mpsc::Receiver<Bytes>) {
    while let Some(line) = lines.recv().await {
        let line = [&line[..], b"\n"].concat();
        if input.write_all(&line).await.is_err() || input.flush().await.is_err() {
            break;
        }
    }
}

/// Hands on each line. What exceeds `max` bytes is left out, and of such a line nothing is handed on but
/// for a log.
async fn read_lines(from: impl AsyncRead + Unpin, max: usize, mut take: impl FnMut(&[u8])) {
    let mut from = BufReader::new(from);
    loop {
        // One long message must not keep its memory for as long as the child runs.
        let mut line = Vec::new();
        let limit = u64::try_from(max).unwrap_or(u64::MAX);
        let read = (&mut from).take(limit).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return;
        }
        let is_whole = line.ends_with(b"\n") || line.len() < max;
        if is_whole || max == MAX_LOG_LINE {
            take(line.trim_ascii_end());
        } else {
            tracing::error!(
                reason = "message_too_long",
                max,
                "the child wrote a message that is left out"
            );
        }
        if !is_whole && !skip_line(&mut from).await {
            return;
        }
    }
}

/// Reads past the end of the line. Returns `false` at the end of the input.
async fn skip_line(from: &mut (impl AsyncBufReadExt + Unpin)) -> bool {
    loop {
        let Ok(buffer) = from.fill_buf().await else {
            return false;
        };
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = buffer.len();
        from.consume(end.map_or(length, |end| end + 1));
        if length == 0 || end.is_some() {
            return length > 0;
        }
    }
}

/// Ends a child whose input has ended, with all that it has started: it may end by itself, then is asked
/// to, then must.
async fn end(child: &mut Child, id: Option<u32>) -> io::Result<std::process::ExitStatus> {
    let group = id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let send = |signal| group.map(|group| kill_process_group(group, signal));
    if timeout(EOF_TIMEOUT, child.wait()).await.is_err() {
        send(Signal::TERM);
        let _ = timeout(TERM_TIMEOUT, child.wait()).await;
    } else if group.is_some_and(|group| test_kill_process_group(group).is_ok()) {
        // The child has left others behind.
        send(Signal::TERM);
        sleep(EOF_TIMEOUT).await;
    }
    send(Signal::KILL);
    child.wait().await
}

/// Limits what a child may use. What it starts in the meantime is not limited.
#[cfg(target_os = "linux")]
fn limit(child: &Child, options: &ChildOptions) {
    use rustix::process::{Resource, Rlimit, prlimit};

    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    // Not the address space: JavaScript engines reserve far more than they use.
    let limits =
        [(Resource::Data, options.memory.map(|mib| mib << 20)), (Resource::Cpu, options.cpu)];
    for (resource, limit) in limits {
        let limits = Rlimit { current: limit, maximum: limit };
        if limit.is_some()
            && let Err(error) = prlimit(id, resource, limits)
        {
            tracing::error!(%error, ?resource, "the child cannot be limited");
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn limit(_: &Child, _: &ChildOptions) {}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &str, max: usize) -> Vec<String> {
        let mut lines = Vec::new();
        read_lines(text.as_bytes(), max, |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
        })
        .await;
        lines
    }

    #[tokio::test]
    async fn a_message_that_is_too_long_is_left_out_and_the_next_is_read() {
        let long = "x".repeat(100);
        for rest in ["", "y", "yyyyyyyyyyyyyyyyyyyyyyyyy"] {
            let text = format!("one\n{long}{rest}\r\ntwo\r\n\n{long}");
            assert_eq!(lines(&text, 10).await, ["one", "two", ""], "{rest}");
        }
        assert_eq!(lines("one\ntwo", 10).await, ["one", "two"]);
    }
}
