//! Making of DPoP proofs (RFC 9449).

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Header;

use super::SigningKey;
use crate::{
    KeyError,
    verify::{DPOP_TYPE, ProofClaims, ath, htu},
};

/// The request that a proof is made for.
#[derive(Clone, Copy, Debug)]
pub struct DpopRequest<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's URL. Query and fragment are left out of the proof.
    pub url: &'a str,
    /// The access token that goes with the proof.
    pub access_token: Option<&'a str>,
    /// The nonce that the server asked for.
    pub nonce: Option<&'a str>,
    /// The current time, in seconds since 1970.
    pub now: i64,
}

impl SigningKey {
    /// A new proof that the sender of a request holds this key (RFC 9449 §4.2).
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the URL does not parse, or signing fails.
    pub fn dpop_proof(&self, request: &DpopRequest<'_>) -> Result<String, KeyError> {
        let mut jti = [0; 16];
        rand::fill(&mut jti).map_err(|_| {
            KeyError::Unusable("the operating system provides no random numbers".into())
        })?;
        let htu =
            htu(request.url).ok_or_else(|| KeyError::Unusable("the URL is not one".into()))?;
        let claims = ProofClaims {
            jti: URL_SAFE_NO_PAD.encode(jti),
            htm: request.method.to_owned(),
            htu: htu.into(),
            iat: request.now,
            ath: request.access_token.map(ath),
            nonce: request.nonce.map(ToOwned::to_owned),
        };
        let public = serde_json::to_value(&self.public_jwk().material)
            .and_then(serde_json::from_value)
            .map_err(|error| KeyError::Unusable(error.to_string()))?;
        let mut header = Header::new(self.algorithm().into());
        header.typ = Some(DPOP_TYPE.into());
        header.jwk = Some(public);
        self.encode(&header, &claims)
    }

    /// The key's thumbprint (RFC 7638), as `cnf.jkt` and `dpop_jkt` name it.
    pub fn thumbprint(&self) -> &str {
        self.kid()
    }
}
