//! HTTP clients that share the certificates which this machine trusts.

use std::sync::{Arc, OnceLock};

use reqwest::ClientBuilder;
use rustls::{ClientConfig, Error, crypto::aws_lc_rs::default_provider};
use rustls_platform_verifier::Verifier;

/// Starts an HTTP client. The trusted certificates are read and parsed once in a process, because
/// that takes longer than all else that a client needs.
pub fn client_builder() -> ClientBuilder {
    static TLS: OnceLock<Result<ClientConfig, Error>> = OnceLock::new();
    match TLS.get_or_init(tls) {
        Ok(tls) => ClientBuilder::new().tls_backend_preconfigured(tls.clone()),
        // reqwest will fail to read them too, and its error says why.
        Err(_) => ClientBuilder::new(),
    }
}

/// What reqwest itself would use.
fn tls() -> Result<ClientConfig, Error> {
    let provider = Arc::new(default_provider());
    let verifier = Verifier::new(provider.clone())?;
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    if cfg!(feature = "http2") {
        tls.alpn_protocols.push(b"h2".to_vec());
    }
    tls.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(tls)
}
