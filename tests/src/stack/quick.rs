//! Keeps the tests that `make quick` runs quick.

use std::thread;

use rustix::time::{ClockId, clock_gettime};

/// Rooms of `tests/it` that `make quick` runs, as the Makefile names them.
pub const ROOMS: [&str; 4] = ["endpoints", "guard", "house", "rules"];
/// Most seconds that one of their tests may compute. Most of them compute for a tenth of one.
const MAX_SECONDS: i64 = 3;

/// Fails a test of those rooms that has computed for too long. Unlike the time that passes, this
/// hardly depends on what else the machine does.
pub(super) fn check() {
    let test = thread::current();
    // libtest names the thread of a test after it.
    let name = test.name().unwrap_or_default();
    let room = name.split("::").next().unwrap_or_default();
    if ROOMS.contains(&room) && !name.contains("engine") && !thread::panicking() {
        let seconds = clock_gettime(ClockId::ThreadCPUTime).tv_sec;
        assert!(seconds < MAX_SECONDS, "do less, or move to another room of tests/it");
    }
}
