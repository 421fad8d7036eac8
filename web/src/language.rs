//! The languages of the pages, and which of them a person wants.

/// A language that the catalogue has every text in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, where no other is asked for.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language there is.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The tag that names it (RFC 5646), as in `<html lang>`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language to speak: the first of `ui_locales` that is known (OpenID Connect Core
    /// §3.1.2.1), else the best of `Accept-Language` (RFC 9110 §12.5.4), else English.
    pub fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let asked = ui_locales.unwrap_or_default().split(' ').find_map(Self::of_tag);
        asked.or_else(|| Self::accepted(accept_language?)).unwrap_or_default()
    }

    /// The language that a tag belongs to, whatever region it names.
    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The known language with the greatest weight; of equals, the first.
    fn accepted(header: &str) -> Option<Self> {
        let weighed = header.split(',').filter_map(|entry| {
            let (tag, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
            Some((Self::of_tag(tag)?, weight))
        });
        let mut best: Option<(Self, f32)> = None;
        for (language, weight) in weighed.filter(|(_, weight)| *weight > 0.0) {
            if best.is_none_or(|(_, most)| weight > most) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_chooses_by_weight() {
        let choose = |header| Language::choose(None, Some(header));
        assert_eq!(choose("de"), Language::German);
        assert_eq!(choose("de-AT,en;q=0.5"), Language::German);
        assert_eq!(choose("de;q=0.3, en-GB;q=0.8"), Language::English);
        assert_eq!(choose("fr, de;q=0.1"), Language::German);
        assert_eq!(choose("de;q=0"), Language::English);
        assert_eq!(choose(";;,q=,\u{0}"), Language::English);
    }

    #[test]
    fn the_request_goes_before_the_browser() {
        assert_eq!(Language::choose(Some("fr-CA de en"), Some("en")), Language::German);
        assert_eq!(Language::choose(Some("fr"), Some("de")), Language::German);
        assert_eq!(Language::choose(None, None), Language::English);
    }
}
