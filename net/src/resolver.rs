//! Name resolution that judges every address before a connection is made.
//!
//! A URL that a stranger chose may have a name that leads into this machine's own network. So each
//! name is looked up once, its addresses are judged, and the connection goes to one of exactly
//! these: no second look-up can answer otherwise (DNS rebinding).

use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// At most this many addresses of a name are tried.
pub const MAX_ADDRESSES: usize = 16;

/// The addresses of a name, once they have been looked up.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks up the addresses of a name.
pub type Lookup = dyn Fn(String) -> LookupFuture + Send + Sync;

/// Looks names up as the system does.
pub fn system() -> Arc<Lookup> {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Decides whether the addresses of a name may be connected to.
pub trait Judge: Send + Sync + 'static {
    /// Why not. It is in the chain of sources of the `reqwest::Error`.
    type Refusal: Error + Send + Sync + 'static;

    /// Judges all `addresses` of `name`, which may be none.
    ///
    /// # Errors
    /// The reason not to connect to any of them.
    fn judge(
        &self,
        name: &str,
        addresses: &[IpAddr],
    ) -> impl Future<Output = Result<(), Self::Refusal>> + Send;
}

/// A resolver for `reqwest::ClientBuilder::dns_resolver`.
pub struct JudgedResolver<J> {
    lookup: Arc<Lookup>,
    judge: Arc<J>,
}

impl<J: Judge> JudgedResolver<J> {
    /// Asks `lookup` for the addresses and `judge` whether they may be connected to.
    pub fn new(lookup: Arc<Lookup>, judge: J) -> Self {
        Self { lookup, judge: Arc::new(judge) }
    }
}

impl<J: Judge> Resolve for JudgedResolver<J> {
    fn resolve(&self, name: Name) -> Resolving {
        let (judge, found) = (self.judge.clone(), (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let addresses = found.await?;
            judge.judge(name.as_str(), &addresses).await?;
            let addresses = addresses.into_iter().take(MAX_ADDRESSES);
            Ok(Box::new(addresses.map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Refuses names with an address that ends in 9.
    struct NoNines;

    #[derive(Debug)]
    struct Nine;

    impl std::fmt::Display for Nine {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("nine")
        }
    }

    impl Error for Nine {}

    impl Judge for NoNines {
        type Refusal = Nine;

        async fn judge(&self, name: &str, addresses: &[IpAddr]) -> Result<(), Nine> {
            assert_eq!(name, "a.test");
            let has_nine = addresses.iter().any(|address| address.to_string().ends_with('9'));
            if has_nine { Err(Nine) } else { Ok(()) }
        }
    }

    /// What comes of a name with these last bytes of addresses, and how often it was looked up.
    async fn resolved(bytes: &[u8]) -> (Result<Vec<SocketAddr>, String>, usize) {
        let addresses: Vec<IpAddr> = bytes.iter().map(|byte| [192, 0, 2, *byte].into()).collect();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let lookup = move |_: String| -> LookupFuture {
            count.fetch_add(1, Ordering::Relaxed);
            let addresses = addresses.clone();
            Box::pin(async move { Ok(addresses) })
        };
        let resolver = JudgedResolver::new(Arc::new(lookup), NoNines);
        let found = resolver.resolve("a.test".parse().unwrap()).await;
        let found = found.map(Iterator::collect).map_err(|refusal| refusal.to_string());
        (found, asked.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn exactly_the_judged_addresses_are_connected_to() {
        let (found, asked) = resolved(&[1, 2]).await;
        let expected = ["192.0.2.1:0", "192.0.2.2:0"].map(|text| text.parse().unwrap());
        assert_eq!(found.unwrap(), expected);
        assert_eq!(asked, 1);
    }

    #[tokio::test]
    async fn a_name_is_refused_for_any_of_its_addresses_even_one_that_would_not_be_tried() {
        assert_eq!(resolved(&[1, 9]).await.0, Err("nine".to_owned()));
        let many = [[1; 99].as_slice(), &[9]].concat();
        assert_eq!(resolved(&many).await.0, Err("nine".to_owned()));
    }

    #[tokio::test]
    async fn a_hundred_addresses_of_one_name_are_not_all_tried() {
        assert_eq!(resolved(&[1; 100]).await.0.unwrap().len(), MAX_ADDRESSES);
    }
}
