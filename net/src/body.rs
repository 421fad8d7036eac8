//! Bodies of HTTP responses, read whole and within a limit.

use reqwest::Response;

/// Why a body was not read.
#[derive(Debug)]
pub enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It did not arrive, or could not be decompressed.
    Failed(reqwest::Error),
}

/// Reads the body of `response`, if it has no more than `max_bytes`.
///
/// reqwest has undone the compression that it asked for by the time the bytes are counted, so a
/// small compressed body cannot grow past the limit.
///
/// # Errors
/// [`BodyError::TooLarge`] as soon as more than `max_bytes` have come; the rest is not read.
/// [`BodyError::Failed`] when the connection or the decompression fails.
pub async fn read(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Failed)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
