//! A point in time, as people of a language write it. Pages without script do not know the
//! reader's time zone, so they say which one is meant.

use leptos::prelude::*;
use time::OffsetDateTime;

use crate::{language::Language, text::Text};

const ENGLISH_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A `<time>` with date, hour and minute; nothing for a time that no calendar has.
pub(crate) fn date_and_time(text: &'static Text, seconds: i64) -> impl IntoView + use<> {
    OffsetDateTime::from_unix_timestamp(seconds).ok().map(|time| {
        let machine = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}Z",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute()
        );
        let words =
            format!("{}, {:02}:{:02} UTC", words(text.language, time), time.hour(), time.minute());
        view! { <time datetime=machine>{words}</time> }
    })
}

/// The date alone, as text; empty for a time that no calendar has.
pub(crate) fn date(text: &Text, seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .map(|time| words(text.language, time))
        .unwrap_or_default()
}

fn words(language: Language, time: OffsetDateTime) -> String {
    let day = time.day();
    let month = u8::from(time.month());
    let year = time.year();
    match language {
        Language::English => {
            let name = ENGLISH_MONTHS.get(usize::from(month) - 1).unwrap_or(&"");
            format!("{day} {name} {year}")
        }
        Language::German => format!("{day}.{month}.{year}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_its_readers_do() {
        let date = |language| date(Text::of(language), 1_764_028_800);
        assert_eq!(date(Language::English), "25 Nov 2025");
        assert_eq!(date(Language::German), "25.11.2025");
    }

    #[test]
    fn a_time_that_no_calendar_has_is_left_out() {
        assert_eq!(date(Text::of(Language::English), i64::MAX), "");
    }
}
