//! Which headers pass the gate.

use axum::http::{HeaderMap, HeaderName, header};

/// Headers of one connection, besides those that `Connection` names (RFC 9110 §7.6.1).
const OF_THE_CONNECTION: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers of a request that the upstream must not see as the caller sent them.
const OF_THE_CALLER: [HeaderName; 10] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::FORWARDED,
    // The gate has checked both for the upstream, which knows itself by another name.
    header::HOST,
    header::ORIGIN,
    header::REFERER,
    header::EXPECT,
    header::CONTENT_LENGTH,
    // A compressed stream would wait until a block is full, and the guard reads events.
    header::ACCEPT_ENCODING,
    HeaderName::from_static("x-real-ip"),
];

/// Beginnings of headers that only the gate may set.
const OF_THE_GATE: [&str; 2] = ["x-forwarded-", "x-portcullis-"];

/// Headers of a response by which an upstream would speak for the gate.
const OF_THE_UPSTREAM: [HeaderName; 4] = [
    header::WWW_AUTHENTICATE,
    header::SET_COOKIE,
    header::ALT_SVC,
    header::STRICT_TRANSPORT_SECURITY,
];

/// Leaves what a caller may say to the upstream.
pub(crate) fn clean_request(headers: &mut HeaderMap) {
    remove_of_connection(headers);
    remove(headers, |name| {
        let text = name.as_str();
        OF_THE_CALLER.contains(name)
            || OF_THE_GATE.iter().any(|beginning| text.starts_with(beginning))
            // WSGI servers read `x_forwarded_user` as `x-forwarded-user`.
            || text.contains('_')
    });
}

/// Leaves what an upstream may say to the caller. Which pages may read a response, the gate says.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    remove_of_connection(headers);
    remove(headers, |name| {
        OF_THE_UPSTREAM.contains(name) || name.as_str().starts_with("access-control-")
    });
}

fn remove_of_connection(headers: &mut HeaderMap) {
    let values = headers.get_all(header::CONNECTION).iter();
    let named: Vec<String> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    remove(headers, |name| {
        OF_THE_CONNECTION.contains(&name.as_str())
            || named.iter().any(|named| named == name.as_str())
    });
}

fn remove(headers: &mut HeaderMap, is_removed: impl Fn(&HeaderName) -> bool) {
    let removed: Vec<HeaderName> =
        headers.keys().filter(|name| is_removed(name)).cloned().collect();
    for name in removed {
        headers.remove(name);
    }
}
