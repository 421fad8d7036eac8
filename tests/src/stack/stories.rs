//! The stories of the requests of every stack in this process, as `auth` writes them.

use std::{
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

use auth::story::{self, StoryFile};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

/// Most bytes that are kept.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Begins to keep stories, if that was not done yet, and says where. There is one file for all
/// tests: logging is global to a process, and stories are told apart by their request ids.
pub fn keep() -> PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let begin = || {
        let tests = std::env::current_exe().expect("the path of this program");
        let path = tests.with_extension("stories");
        let _ = std::fs::remove_file(&path);
        let file = StoryFile::open(&path, MAX_BYTES).expect("a file of stories");
        tracing_subscriber::registry().with(story::layer(Mutex::new(file))).init();
        path
    };
    FILE.get_or_init(begin).clone()
}
