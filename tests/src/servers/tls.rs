//! TLS in front of another server, with the certificate that a test wants.

use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    },
};
use url::Url;

pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// A certificate and its key.
pub struct Certified {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Authority {
    /// A new authority, which no client trusts yet.
    pub fn new() -> Self {
        let mut wanted = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(wanted, key).expect("a certificate");
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Self { issuer, directory };
        std::fs::write(authority.file(), authority.issuer.pem()).expect("written");
        authority
    }

    /// The file with its own certificate, for `SSL_CERT_FILE`.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// A certificate for `host`, good until the end of `year`.
    pub fn certify(&self, host: &str, year: i32) -> Certified {
        let (wanted, key) = wanted(host, year);
        let certificate = wanted.signed_by(&key, &self.issuer).expect("a certificate");
        Certified { certificate: certificate.der().clone(), key }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Certified {
    /// A certificate for `host` that vouches for itself.
    pub fn by_itself(host: &str, year: i32) -> Self {
        let (wanted, key) = wanted(host, year);
        let certificate = wanted.self_signed(&key).expect("a certificate");
        Self { certificate: certificate.der().clone(), key }
    }
}

fn wanted(host: &str, year: i32) -> (CertificateParams, KeyPair) {
    let mut wanted = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
    wanted.not_after = date_time_ymd(year, 12, 31);
    (wanted, KeyPair::generate().expect("a key"))
}

/// The front, on a free port. It stops when it is dropped.
pub struct TlsServer {
    /// The address of the server behind it, with `https` and this port.
    pub url: String,
    handshakes: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl TlsServer {
    /// Starts it in front of the server at `behind`.
    pub async fn start(behind: &str, certified: Certified) -> Self {
        let behind = Url::parse(behind).expect("a URL");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let url = format!("https://localhost:{port}{}", behind.path());
        let acceptor = acceptor(certified);
        let handshakes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&handshakes);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut inner) = acceptor.accept(stream).await else { continue };
                counted.fetch_add(1, Ordering::Relaxed);
                let address = (Ipv4Addr::LOCALHOST, behind.port().expect("a port"));
                let mut outer = TcpStream::connect(address).await.expect("the server behind");
                tokio::spawn(async move { copy_bidirectional(&mut inner, &mut outer).await });
            }
        });
        Self { url, handshakes, task }
    }

    /// How many clients have accepted the certificate.
    pub fn handshakes(&self) -> usize {
        self.handshakes.load(Ordering::Relaxed)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(Certified { certificate, key }: Certified) -> TlsAcceptor {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .expect("a certificate that fits its key");
    TlsAcceptor::from(Arc::new(config))
}
