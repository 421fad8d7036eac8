//! `make screenshots`: generates the gallery in the folder it is given, and refreshes `docs/pages`.
//!
//! With paths of samples and sizes of windows after the folder, such as `/consent /de/consent
//! 360x640`, it takes pictures of what these windows show, and nothing else.
#![expect(clippy::expect_used, reason = "a picture that cannot be taken ends the program")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tests::{
    company,
    people::chromium::Chromium,
    pictures::gallery::{
        COMMITTED, Picture, SCHEMES, SIZES, committed_folder, page, pictures, serve,
    },
};
use web::samples;

#[tokio::main]
async fn main() {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("the folder to write to"));
    let (sizes, paths): (Vec<_>, Vec<_>) = arguments.partition(|one| size(one).is_some());
    let sizes: Vec<_> = sizes.iter().filter_map(|one| size(one)).collect();
    let base = serve().await;
    let browser = Chromium::start(false).await;
    if sizes.is_empty() {
        gallery(&browser, &base, &folder).await;
        company().await;
    } else {
        views(&browser, &base, &folder, &paths, &sizes).await;
    }
    browser.close().await;
}

/// Every picture, the page that shows them, and the committed ones.
async fn gallery(browser: &Chromium, base: &str, folder: &Path) {
    let samples = samples::all();
    // Pictures of pages that no longer exist must not stay.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("the gallery's folder");
    for sample in &samples {
        browser.open(&format!("{base}{}", sample.path)).await;
        for picture in pictures(sample) {
            let bytes = browser.picture(picture.size, picture.scheme).await;
            fs::write(folder.join(picture.file(sample)), bytes).expect("a picture");
        }
    }
    fs::write(folder.join("README.md"), page(&samples)).expect("the page that shows them");
    for name in COMMITTED {
        fs::copy(folder.join(name), committed_folder().join(name)).expect("a committed picture");
    }
}

/// What each kind of person of a company sees, who signs in with a browser of their own.
async fn company() {
    let stack = company::start().await;
    for visit in company::VISITS {
        let browser = Chromium::start(false).await;
        visit.make(&stack, &browser).await;
        let bytes = browser.picture(SIZES[0], SCHEMES[0]).await;
        fs::write(committed_folder().join(visit.picture), bytes).expect("a committed picture");
        browser.close().await;
    }
}

/// What windows of these sizes show of the samples at these paths, before anyone scrolls.
async fn views(
    browser: &Chromium,
    base: &str,
    folder: &Path,
    paths: &[String],
    sizes: &[(u32, u32)],
) {
    fs::create_dir_all(folder).expect("the folder");
    for sample in samples::all().iter().filter(|sample| paths.contains(&sample.path)) {
        browser.open(&format!("{base}{}", sample.path)).await;
        for size in sizes {
            let picture = Picture { size: *size, scheme: SCHEMES[0] };
            let bytes = browser.view(picture.size, picture.scheme).await;
            fs::write(folder.join(picture.file(sample)), bytes).expect("a picture");
        }
    }
}

/// The size of a window, as in `360x640`.
fn size(argument: &str) -> Option<(u32, u32)> {
    let (width, height) = argument.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}
