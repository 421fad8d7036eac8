//! `make screenshots`: generates the gallery in the folder it is given, and refreshes `docs/pages`.
#![expect(clippy::expect_used, reason = "a picture that cannot be taken ends the program")]

use std::{env, fs, path::PathBuf};

use tests::{
    people::chromium::Chromium,
    pictures::gallery::{COMMITTED, committed_folder, page, pictures, serve},
};
use web::samples;

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(env::args_os().nth(1).expect("the folder to write to"));
    let base = serve().await;
    let samples = samples::all();
    // Pictures of pages that no longer exist must not stay.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the gallery's folder");
    let browser = Chromium::start(false).await;
    for sample in &samples {
        browser.open(&format!("{base}{}", sample.path)).await;
        for picture in pictures(sample) {
            let bytes = browser.picture(picture.size, picture.scheme).await;
            fs::write(folder.join(picture.file(sample)), bytes).expect("a picture");
        }
    }
    browser.close().await;
    fs::write(folder.join("README.md"), page(&samples)).expect("the page that shows them");
    for name in COMMITTED {
        fs::copy(folder.join(name), committed_folder().join(name)).expect("a committed picture");
    }
}
