//! The address of an MCP server, as a user gives it.

use url::Url;

use super::is_secure;

/// Reads the address of a server, if this client may talk to it.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    let address = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    let Some(address) = address else {
        return Err("write it in full, like https://mcp.example.com/mcp".to_owned());
    };
    if !is_secure(&address) {
        return Err("use https; plain http is for this machine only".to_owned());
    }
    if !address.username().is_empty() || address.password().is_some() {
        return Err("leave out the user and password; sign-in does that".to_owned());
    }
    if address.fragment().is_some() {
        return Err("leave out the part after `#`".to_owned());
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_must_be_https_or_on_this_machine() {
        assert!(parse("https://mcp.example.com/mcp").is_ok());
        assert!(parse("http://127.0.0.1:3001/mcp").is_ok());
        assert!(parse("http://mcp.example.com/mcp").is_err());
        assert!(parse("localhost:3001/mcp").is_err());
        assert!(parse("https://me:secret@mcp.example.com/mcp").is_err());
    }
}
