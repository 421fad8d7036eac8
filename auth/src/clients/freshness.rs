//! How long a shared cache may use a fetched document (RFC 9111 §4.2).

use std::time::SystemTime;

use axum_extra::headers::{CacheControl, Date, Expires, Header};
use http::{HeaderMap, HeaderName, header};

/// Seconds that an answer is fresh if it does not say.
const DEFAULT_LIFETIME: u64 = 300;
/// In seconds. Keeps a client from making this server fetch at every request.
const MIN_LIFETIME: u64 = 60;
/// In seconds. Limits how long a change goes unnoticed.
const MAX_LIFETIME: u64 = 86_400;

/// What the headers of a response allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Freshness {
    /// Seconds that it is fresh.
    pub(super) lifetime: i64,
    /// Whether it may be used longer while its origin cannot be reached (RFC 5861 §4).
    pub(super) survives_outage: bool,
}

impl Freshness {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let control = read::<CacheControl>(headers).unwrap_or_else(CacheControl::new);
        let is_shared = !control.no_store() && !control.no_cache() && !control.private();
        let varies = headers.get(header::VARY).is_some_and(|vary| vary == "*");
        let seconds = if is_shared && !varies {
            lifetime(&control, headers).saturating_sub(age(headers))
        } else {
            0
        };
        Self {
            lifetime: i64::try_from(seconds.clamp(MIN_LIFETIME, MAX_LIFETIME)).unwrap_or(i64::MAX),
            survives_outage: !control.must_revalidate() && !control.no_store(),
        }
    }
}

fn lifetime(control: &CacheControl, headers: &HeaderMap) -> u64 {
    if let Some(stated) = control.s_max_age().or(control.max_age()) {
        return stated.as_secs();
    }
    if !headers.contains_key(header::EXPIRES) {
        return DEFAULT_LIFETIME;
    }
    // An invalid date counts as one in the past (RFC 9111 §5.3).
    let times = read::<Expires>(headers).zip(read::<Date>(headers));
    times.map_or(0, |(expires, date)| {
        let expires = SystemTime::from(expires);
        expires.duration_since(date.into()).unwrap_or_default().as_secs()
    })
}

fn age(headers: &HeaderMap) -> u64 {
    let text = headers.get(HeaderName::from_static("age")).and_then(|age| age.to_str().ok());
    text.and_then(|age| age.trim().parse().ok()).unwrap_or_default()
}

fn read<H: Header>(headers: &HeaderMap) -> Option<H> {
    H::decode(&mut headers.get_all(H::name()).iter()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[(&'static str, &str)]) -> (i64, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let freshness = Freshness::of(&headers);
        (freshness.lifetime, freshness.survives_outage)
    }

    #[test]
    fn a_shared_cache_prefers_its_own_directive_and_subtracts_the_age() {
        assert_eq!(of(&[]), (300, true));
        assert_eq!(of(&[("cache-control", "max-age=600")]), (600, true));
        assert_eq!(of(&[("cache-control", "max-age=600, s-maxage=900")]), (900, true));
        assert_eq!(of(&[("cache-control", "max-age=600"), ("age", "200")]), (400, true));
        let dated = ("date", "Sun, 06 Nov 1994 08:00:00 GMT");
        assert_eq!(of(&[dated, ("expires", "Sun, 06 Nov 1994 08:10:00 GMT")]), (600, true));
        assert_eq!(of(&[dated, ("expires", "0")]), (60, true));
    }

    #[test]
    fn the_lifetime_is_clamped() {
        assert_eq!(of(&[("cache-control", "max-age=31536000")]), (86_400, true));
        for directive in ["no-cache", "private", "max-age=0", "s-maxage=0, max-age=600"] {
            assert_eq!(of(&[("cache-control", directive)]), (60, true), "{directive}");
        }
        assert_eq!(of(&[("cache-control", "max-age=600"), ("vary", "*")]), (60, true));
    }

    #[test]
    fn what_must_be_revalidated_does_not_survive_an_outage() {
        assert_eq!(of(&[("cache-control", "max-age=600, must-revalidate")]), (600, false));
        assert_eq!(of(&[("cache-control", "no-store")]), (60, false));
    }
}
