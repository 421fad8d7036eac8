//! How many files this process may open, and how many connections that leaves room for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections at once, however many files may be open.
const MAX_CONNECTIONS: usize = 10_000;
/// Files kept free for everything that does not belong to a connection: the database, logs, and what
/// the runtime itself needs.
const RESERVED_FILES: usize = 128;
/// Files of a connection: its own socket, and one for the request to another server that its request
/// may lead to.
const FILES_OF_A_CONNECTION: usize = 2;

/// Raises the soft limit on open files to the hard one. The answer is the limit that now holds.
///
/// Login shells and many service managers set the soft limit to 1,024 for the sake of programs that
/// use `select`. This one does not.
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

/// Connections to accept at once under this limit on open files; `None` is no limit.
///
/// Under a very low limit the reserve takes half of it at most.
pub(crate) fn max_connections(open_files: Option<u64>) -> usize {
    let files = open_files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    let reserved = RESERVED_FILES.min(files / 2);
    (files.saturating_sub(reserved) / FILES_OF_A_CONNECTION).clamp(1, MAX_CONNECTIONS)
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
