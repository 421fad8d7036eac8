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

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_body_may_have_as_many_bytes_as_the_limit_and_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/", get(async || "x".repeat(100_000)));
        tokio::spawn(async { axum::serve(listener, router).await });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = async || http.get(&url).send().await.unwrap();
        assert_eq!(read(response().await, 100_000).await.unwrap().len(), 100_000);
        let refused = read(response().await, 99_999).await;
        assert!(matches!(refused, Err(BodyError::TooLarge)), "{refused:?}");
    }
}
