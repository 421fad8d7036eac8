//! The only place where tests wait for time to pass. An event is better: a line of a log, an answer,
//! the end of a process, the clock of a stack.

use std::time::Duration;

use tokio::time::{Interval, interval, sleep};

/// Between two tries at a server that does not answer, or two looks at a screen: neither tells when
/// to look again.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// Waits before the next try at a server that has not answered.
pub async fn before_retry() {
    sleep(RETRY_INTERVAL).await;
}

/// Ticks between looks at something that cannot tell when it has changed.
pub fn looks(every: Duration) -> Interval {
    interval(every)
}

/// A delay that is part of a scenario: how long a server takes, how fast a program calls, when a
/// process is killed.
pub async fn delay(length: Duration) {
    sleep(length).await;
}
