//! The pictures of the pages in `docs/pages`, and the page that shows them.

use std::{fmt::Write, net::Ipv4Addr, path::PathBuf};

use tokio::net::TcpListener;
use web::{Brand, samples::Sample};

/// The widths of the pictures, with the heights of the windows: a small phone and a desk.
pub const SIZES: [(u32, u32); 2] = [(360, 740), (1280, 900)];
/// The colour schemes.
pub const SCHEMES: [&str; 2] = ["light", "dark"];

/// A picture of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The size of the window.
    pub size: (u32, u32),
    /// `light` or `dark`.
    pub scheme: &'static str,
}

/// The folder of the pictures.
pub fn folder() -> PathBuf {
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

/// The pictures that are kept of a sample: in English all, in German one of each width and scheme,
/// and under another brand, which changes colours and a logo alone, one, the errors apart.
pub fn pictures(sample: &Sample) -> Vec<Picture> {
    let [phone, desk] = SIZES;
    let [light, dark] = SCHEMES;
    let all = [(phone, light), (phone, dark), (desk, light), (desk, dark)];
    let kept = match sample.path.split('/').nth(1) {
        Some("de") => vec![(phone, light), (desk, dark)],
        Some("branded") if sample.path.contains("/error") => Vec::new(),
        Some("branded") => vec![(phone, light)],
        _ => all.to_vec(),
    };
    kept.into_iter().map(|(size, scheme)| Picture { size, scheme }).collect()
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
            let (file, (width, _)) = (picture.file(sample), picture.size);
            let shown = if width < 1000 { 180 } else { 420 };
            let alt = format!("{}, {width} pixels wide, {}", sample.shows, picture.scheme);
            let _ = writeln!(page, "<img src=\"{file}\" width=\"{shown}\" alt=\"{alt}\">");
        }
    }
    page
}

const INTRODUCTION: &str = "# Every page in every state

`make screenshots` takes these pictures anew and writes this page; `cargo run -p web` serves the same pages to a browser.
The data is made up. Each picture is the whole page, in a window 360 or 1280 pixels wide, in light and in dark; of the
German pages there is one of each, and of those under another brand, which changes colours and a logo alone, one, the
errors apart. The weight is that of the document and its stylesheet, uncompressed; nothing else is loaded. How quick the pages are, and
what tests see to, stands in [docs/pages.md](../pages.md).
";
