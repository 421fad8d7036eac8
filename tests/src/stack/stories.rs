//! The stories of the requests of every stack in this process, as `auth` writes them.

use std::{path::PathBuf, sync::OnceLock, time::Duration};

use auth::story::{Stories, StoryFile};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

/// Most bytes that are kept.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How long the last stories may take to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

struct Kept {
    path: PathBuf,
    stories: Stories,
}

/// Begins to keep stories, if that was not done yet, and says where. There is one file for all
/// tests: logging is global to a process, and stories are told apart by their request ids.
pub fn keep() -> PathBuf {
    kept().path.clone()
}

/// All stories of requests that have ended.
pub async fn text() -> String {
    let Kept { path, stories } = kept();
    stories.flush(FLUSH_TIMEOUT).await;
    std::fs::read_to_string(path).expect("a file of stories")
}

fn kept() -> &'static Kept {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    KEPT.get_or_init(|| {
        let tests = std::env::current_exe().expect("the path of this program");
        let path = tests.with_extension("stories");
        let _ = std::fs::remove_file(&path);
        let file = StoryFile::open(&path, MAX_BYTES).expect("a file of stories");
        let stories = Stories::start(file, 1).expect("a thread");
        tracing_subscriber::registry().with(stories.layer()).init();
        Kept { path, stories }
    })
}
