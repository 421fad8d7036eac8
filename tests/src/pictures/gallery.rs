//! The gallery: a picture of every page in every state, and the page that shows them.

use std::{fmt::Write, net::Ipv4Addr, path::PathBuf};

use tokio::net::TcpListener;
use web::{Brand, samples::Sample};

/// The widths of the pictures, with the heights of the windows: a small phone and a desk.
pub const SIZES: [(u32, u32); 2] = [(360, 740), (1280, 900)];
pub const SCHEMES: [&str; 2] = ["light", "dark"];

/// A picture of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The size of the window.
    pub size: (u32, u32),
    pub scheme: &'static str,
}

/// The pictures that are committed, because README and docs show them. All others are generated.
pub const COMMITTED: [&str; 12] = [
    "account-busy-360-light.png",
    "branded-consent-360-light.png",
    "consent-1280-dark.png",
    "consent-1280-light.png",
    "consent-360-dark.png",
    "consent-360-light.png",
    "consent-hostile-360-light.png",
    "de-consent-360-light.png",
    "device-360-light.png",
    "error-redirect-360-light.png",
    "sign-in-360-light.png",
    "sign-in-several-360-light.png",
];

/// The folder of the committed pictures, `docs/pages`.
pub fn committed_folder() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.parent().expect("the workspace").join("docs/pages")
}

/// Serves the samples as `cargo run -p web` does; their base address.
pub async fn serve() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { axum::serve(listener, web::preview::router()).await });
    format!("http://localhost:{port}")
}

/// The pictures of a sample. English pages get every size and scheme, German ones two, and branded
/// ones, which differ in colours and logo only, a single one; branded errors get none.
pub fn pictures(sample: &Sample) -> Vec<Picture> {
    let [phone, desk] = SIZES;
    let [light, dark] = SCHEMES;
    let all = [(phone, light), (phone, dark), (desk, light), (desk, dark)];
    let taken = match sample.path.split('/').nth(1) {
        Some("de") => vec![(phone, light), (desk, dark)],
        Some("branded") if sample.path.contains("/error") => Vec::new(),
        Some("branded") => vec![(phone, light)],
        _ => all.to_vec(),
    };
    taken.into_iter().map(|(size, scheme)| Picture { size, scheme }).collect()
}

impl Picture {
    /// The name of its file, such as `consent-hosted-360-dark.png`.
    pub fn file(&self, sample: &Sample) -> String {
        let name = sample.path.trim_start_matches('/').replace('/', "-");
        format!("{name}-{}-{}.png", self.size.0, self.scheme)
    }
}

/// The page that shows the pictures of these samples.
pub fn page(samples: &[Sample]) -> String {
    let style = Brand::default().stylesheet().len();
    let mut page = String::from(INTRODUCTION);
    for sample in samples.iter().filter(|sample| !pictures(sample).is_empty()) {
        let weight = (sample.html.len() + style).div_ceil(1000);
        // A String takes whatever is written to it.
        let _ = write!(page, "\n## {}\n\n`{}`, {weight} kB\n\n", sample.shows, sample.path);
        for picture in pictures(sample) {
            let file = picture.file(sample);
            let (width, _) = picture.size;
            let shown = if width < 1000 { 180 } else { 420 };
            let alt = format!("{}, {width} pixels wide, {}", sample.shows, picture.scheme);
            let _ = writeln!(page, "<img src=\"{file}\" width=\"{shown}\" alt=\"{alt}\">");
        }
    }
    page
}

const INTRODUCTION: &str = "# Every page in every state

`make screenshots` generates this page and its pictures; `cargo run -p web` serves the same pages to a browser. All data
is made up. Each picture shows a whole page in a window 360 or 1280 pixels wide. The weight is that of the document and
its stylesheet, uncompressed; a page loads nothing else.
";
