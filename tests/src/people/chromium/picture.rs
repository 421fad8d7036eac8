//! Pictures of whole pages, small enough to be committed.

use std::collections::HashMap;

use serde_json::json;

use super::Chromium;

/// Most colours of a picture: pages have few, and the edges of letters many that look alike.
const MAX_COLOURS: usize = 28;
/// The most frequent colours, which are those of grounds and letters, are kept whatever they are.
const KEPT_COLOURS: usize = 16;
/// How far further colours are from all that are kept, as the sum of squares.
const APART: u32 = 500;

type Colour = [u8; 3];

impl Chromium {
    /// The whole page as a PNG picture, in a window of this size and in a colour scheme.
    pub async fn picture(&self, (width, height): (u32, u32), scheme: &str) -> Vec<u8> {
        self.prefer(scheme).await;
        self.resize((width, height)).await;
        let metrics = self.command("Page.getLayoutMetrics", json!({})).await;
        let whole = metrics["cssContentSize"]["height"].as_u64().expect("a height");
        let whole = u32::try_from(whole).expect("a height of a page");
        // A window as high as the page: what sticks to the window's edge is at the page's end.
        self.resize((width, height.max(whole))).await;
        self.screenshot().await
    }

    /// What a window of this size shows before anyone scrolls.
    pub async fn view(&self, size: (u32, u32), scheme: &str) -> Vec<u8> {
        self.prefer(scheme).await;
        self.resize(size).await;
        self.screenshot().await
    }

    async fn screenshot(&self) -> Vec<u8> {
        with_few_colours(&self.page.screenshot().await.expect("a picture"))
    }
}

/// The same picture in the colours that it has most of, one byte a pixel. What is left takes the
/// nearest of them.
fn with_few_colours(png: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a picture");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut bytes).expect("a frame");
    let samples = info.color_type.samples();
    assert!(samples >= 3 && info.bit_depth == png::BitDepth::Eight, "{info:?}");
    let pixels = bytes[..info.buffer_size()].chunks_exact(samples);
    let pixels: Vec<Colour> = pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();

    let mut counts: HashMap<Colour, usize> = HashMap::new();
    for run in pixels.chunk_by(|one, next| one == next) {
        *counts.entry(run[0]).or_default() += run.len();
    }
    let palette = palette(&counts);
    let nearest: HashMap<Colour, u8> =
        counts.keys().map(|colour| (*colour, nearest(&palette, *colour))).collect();
    let mut indexed = Vec::with_capacity(pixels.len());
    for run in pixels.chunk_by(|one, next| one == next) {
        indexed.resize(indexed.len() + run.len(), nearest[&run[0]]);
    }

    let mut written = Vec::new();
    let mut encoder = png::Encoder::new(&mut written, info.width, info.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&indexed).expect("a picture");
    writer.finish().expect("an end");
    written
}

/// The most frequent colours, and of the others those that can be told apart. Equally frequent ones
/// are in a fixed order, so that the same page gives the same file.
fn palette(counts: &HashMap<Colour, usize>) -> Vec<Colour> {
    let mut colours: Vec<_> = counts.iter().map(|(colour, count)| (*count, *colour)).collect();
    colours.sort_unstable_by(|one, other| other.cmp(one));
    let mut palette: Vec<Colour> = Vec::new();
    for (_, colour) in colours {
        let is_new = || palette.iter().all(|known| distance(*known, colour) >= APART);
        if palette.len() < KEPT_COLOURS || palette.len() < MAX_COLOURS && is_new() {
            palette.push(colour);
        }
    }
    palette
}

fn nearest(palette: &[Colour], colour: Colour) -> u8 {
    let found = palette.iter().enumerate().min_by_key(|(_, other)| distance(**other, colour));
    found.and_then(|(at, _)| u8::try_from(at).ok()).unwrap_or_default()
}

fn distance(one: Colour, other: Colour) -> u32 {
    one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}
