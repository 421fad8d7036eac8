//! Colours that can be read: the operator names one, and the pages use it no paler than WCAG asks.

/// What the accent must stand out from, in light and in dark: the page's ground and its insets.
const LIGHT_GROUND: Color = Color([0xee, 0xf1, 0xf1]);
const DARK_GROUND: Color = Color([0x21, 0x2b, 0x32]);
/// Contrast of text with its background: 4.5 (WCAG 2.2, success criterion 1.4.3) and a margin.
const ENOUGH: f64 = 4.6;

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color([u8; 3]);

impl Color {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// The style rules that make this the accent, in light and in dark. A colour too pale or too
    /// dark to be read is moved towards black or white until it can be.
    pub(crate) fn rules(self) -> String {
        let light = self.away_from(LIGHT_GROUND, BLACK).declarations(WHITE, BLACK);
        let dark = self.away_from(DARK_GROUND, WHITE).declarations(BLACK, WHITE);
        format!(":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}")
    }

    /// This colour, mixed with `other` just enough to be read on `ground`.
    fn away_from(self, ground: Self, other: Self) -> Self {
        let mut mixtures = (0..=100).map(|percent| self.mixed(other, percent));
        mixtures.find(|color| color.contrast(ground) >= ENOUGH).unwrap_or(other)
    }

    fn declarations(self, on_accent: Self, stronger: Self) -> String {
        format!(
            "--accent:{};--accent-hover:{};--on-accent:{}",
            self.hex(),
            self.mixed(stronger, 25).hex(),
            on_accent.hex()
        )
    }

    fn mixed(self, other: Self, percent: u32) -> Self {
        let mix = |one: u8, two: u8| {
            let sum = u32::from(one) * (100 - percent) + u32::from(two) * percent;
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        let Self([a, b, c]) = self;
        let Self([x, y, z]) = other;
        Self([mix(a, x), mix(b, y), mix(c, z)])
    }

    /// The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
    fn contrast(self, other: Self) -> f64 {
        let one = self.luminance();
        let two = other.luminance();
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            part if part <= 0.04045 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        };
        let Self([red, green, blue]) = self;
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn hex(self) -> String {
        let Self([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

const BLACK: Color = Color([0; 3]);
const WHITE: Color = Color([255; 3]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_hexadecimal_digits_are_a_color() {
        assert_eq!(Color::parse("#14566a"), Some(Color([0x14, 0x56, 0x6a])));
        for text in ["14566a", "#fff", "#14566g", "#14566a;}", "red", ""] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }

    #[test]
    fn contrast_is_measured_as_wcag_does() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        assert!((Color([0x76; 3]).contrast(WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_color_becomes_one_that_can_be_read() {
        for color in ["#ffff00", "#000000", "#ffffff", "#808080", "#14566a", "#ff0000"] {
            let color = Color::parse(color).expect("a color");
            let light = color.away_from(LIGHT_GROUND, BLACK);
            let dark = color.away_from(DARK_GROUND, WHITE);
            assert!(light.contrast(LIGHT_GROUND) >= 4.5 && light.contrast(WHITE) >= 4.5);
            assert!(dark.contrast(DARK_GROUND) >= 4.5 && dark.contrast(BLACK) >= 4.5);
        }
    }

    #[test]
    fn a_color_that_can_be_read_stays_as_it_is() {
        let color = Color::parse("#14566a").expect("a color");
        assert!(color.rules().starts_with(":root{--accent:#14566a;"));
    }
}
