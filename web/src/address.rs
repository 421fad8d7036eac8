//! Which addresses a page may link to.

/// The address itself where it is a path on this server, and nothing otherwise.
///
/// A link to another origin, or to a scheme that runs something, is never made from a value.
pub(crate) fn path_on_this_server(address: &str) -> Option<&str> {
    let rest = address.strip_prefix('/')?;
    let leaves = rest.starts_with(['/', '\\']);
    let disguised = address.chars().any(char::is_control);
    (!leaves && !disguised).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_on_this_server_may_be_linked() {
        assert_eq!(path_on_this_server("/sign-in?continue=%2F"), Some("/sign-in?continue=%2F"));
    }

    #[test]
    fn an_address_that_leaves_this_server_is_not_linked() {
        let addresses = [
            "",
            "javascript:alert(1)",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
        ];
        for address in addresses {
            assert_eq!(path_on_this_server(address), None, "{address}");
        }
        assert_eq!(path_on_this_server("/\t/evil.example"), None);
    }
}
