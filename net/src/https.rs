//! HTTP clients that share the certificates which this machine trusts.

use std::sync::{Arc, OnceLock};

use reqwest::ClientBuilder;
use rustls::{ClientConfig, Error, crypto::aws_lc_rs::default_provider};
use rustls_platform_verifier::Verifier;

/// Starts an HTTP client. The trusted certificates are read and parsed once in a process, because
/// that takes longer than all else that a client needs.
pub fn client_builder() -> ClientBuilder {
    match shared() {
        Ok(tls) => {
            let mut tls = tls.clone();
            if cfg!(feature = "http2") {
                tls.alpn_protocols.push(b"h2".to_vec());
            }
            tls.alpn_protocols.push(b"http/1.1".to_vec());
            ClientBuilder::new().tls_backend_preconfigured(tls)
        }
        // reqwest will fail to read them too, and its error says why.
        Err(_) => ClientBuilder::new(),
    }
}

/// TLS for a client of another kind, with the same certificates and no protocol chosen.
///
/// # Errors
/// The certificates cannot be read.
pub fn tls() -> Result<ClientConfig, Error> {
    shared().clone()
}

fn shared() -> &'static Result<ClientConfig, Error> {
    static TLS: OnceLock<Result<ClientConfig, Error>> = OnceLock::new();
    TLS.get_or_init(read)
}

/// What reqwest itself would use.
fn read() -> Result<ClientConfig, Error> {
    let provider = Arc::new(default_provider());
    let verifier = Verifier::new(provider.clone())?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
