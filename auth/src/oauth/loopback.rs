//! Redirect URIs on loopback, as they are written (RFC 8252 §7.3).

/// An `http` redirect URI on this machine, taken apart as it is written.
pub(crate) struct LoopbackUri<'a> {
    host: &'a str,
    rest: &'a str,
}

impl<'a> LoopbackUri<'a> {
    /// Takes it apart. Only the three exact spellings of this machine count, never what a parser
    /// would make of `127.1` or `0x7f.1`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let after = text.strip_prefix("http://")?;
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, rest) = after.split_at_checked(end)?;
        let (host, port) = ["localhost", "127.0.0.1", "[::1]"]
            .into_iter()
            .find_map(|host| authority.strip_prefix(host).map(|port| (host, port)))?;
        let legal = match port.strip_prefix(':') {
            Some(digits) => {
                digits.bytes().all(|b| b.is_ascii_digit())
                    && digits.parse::<u16>().is_ok_and(|port| port > 0)
            }
            None => port.is_empty(),
        };
        let plain = !rest.contains("/..") && !rest.contains("/./");
        (legal && plain).then_some(Self { host, rest })
    }

    /// Whether both are the same to the byte, whatever their ports.
    pub(crate) fn is_same_but_for_the_port(&self, other: &LoopbackUri<'_>) -> bool {
        self.host == other.host && self.rest == other.rest
    }
}
