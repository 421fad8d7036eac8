//! The limit on open files of this process, and how many connections it allows.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open connections, however many files may be open.
const MAX_CONNECTIONS: usize = 10_000;
/// Files reserved for everything but connections: the database, logs and the runtime.
const RESERVED_FILES: usize = 128;
/// Files counted for a connection: its socket, and one for a request to another server that handling
/// it may cause.
const FILES_PER_CONNECTION: usize = 2;

/// Raises the soft limit on open files to the hard limit. Returns the limit in force; `None` is no
/// limit.
///
/// Login shells and many service managers set the soft limit to 1,024, because programs that use
/// `select` cannot handle more. This one does not use it.
pub(crate) fn raise_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(cause = %error, "cannot raise the limit on open files");
            current
        }
    }
}

/// The number of connections to allow under a limit on open files. At most half of a low limit is
/// reserved.
pub(crate) fn max_connections(open_files: Option<u64>) -> usize {
    let files = open_files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    let reserved = RESERVED_FILES.min(files / 2);
    (files.saturating_sub(reserved) / FILES_PER_CONNECTION).clamp(1, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connections_leave_files_for_everything_else() {
        assert_eq!(max_connections(None), MAX_CONNECTIONS);
        assert_eq!(max_connections(Some(1 << 20)), MAX_CONNECTIONS);
        assert_eq!(max_connections(Some(4096)), 1984);
        assert_eq!(max_connections(Some(1024)), 448);
        assert_eq!(max_connections(Some(64)), 16);
        assert_eq!(max_connections(Some(0)), 1);
    }
}
