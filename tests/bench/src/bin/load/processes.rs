//! CPU time and memory of processes, from `/proc`.

use std::fs;

use serde::Serialize;

/// Milliseconds of one tick: Linux reports times to programs in hundredths of a second.
const MILLISECONDS_PER_TICK: f64 = 10.0;
const BYTES_PER_PAGE: f64 = 4096.0;

/// What processes have used since they started.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Usage {
    pub(crate) cpu_ms: f64,
    pub(crate) memory_mb: f64,
}

/// The sum over processes. One that has ended counts nothing.
pub(crate) fn usage(processes: &[u32]) -> Usage {
    let mut sum = Usage::default();
    for process in processes {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The name of the program, in parentheses, may contain blanks.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<f64> = fields.split(' ').map(|it| it.parse().unwrap_or_default()).collect();
        let field = |number: usize| fields.get(number).copied().unwrap_or_default();
        sum.cpu_ms += (field(12) + field(13)) * MILLISECONDS_PER_TICK;
        sum.memory_mb += field(22) * BYTES_PER_PAGE / (1024.0 * 1024.0);
    }
    sum
}

/// Jiffies of the whole machine: busy, and all.
pub(crate) fn machine() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<f64> =
        line.split_whitespace().skip(1).filter_map(|it| it.parse().ok()).collect();
    let all: f64 = fields.iter().take(8).sum();
    let idle: f64 = fields.iter().skip(3).take(2).sum();
    (all - idle, all)
}
