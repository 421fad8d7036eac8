//! `cargo run -p tests --bin screenshots`: takes the pictures of `docs/pages` anew.
#![expect(clippy::expect_used, reason = "a picture that cannot be taken ends the program")]

use std::fs;

use tests::{
    chromium::Chromium,
    gallery::{folder, page, pictures, serve},
};
use web::samples;

#[tokio::main]
async fn main() {
    let (base, samples, folder) = (serve().await, samples::all(), folder());
    // Nothing of pages that there are no more is left behind.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("docs/pages");
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
}
