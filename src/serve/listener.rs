//! Sockets: accepts connections, does TLS, and serves HTTP/1.1 and HTTP/2 on them until it is told
//! to stop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::pki_types::UnixTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cluster::Cluster;
use super::service::Patience;
use super::tls::Tls;
use super::wire::Wire;
use crate::base::Clock;
use crate::base::limits::{HEAD_BYTES, HEAD_TIMEOUT, HTTP2_STREAMS, IDLE_TIMEOUT, SHUTDOWN};

/// Serves a cluster on a socket until `stop` is there; then watches end, and what is being
/// answered has a moment to be finished.
pub async fn serve(cluster: Cluster, listener: TcpListener, tls: Tls, stop: impl Future) {
    serve_with(cluster, listener, tls, stop, Patience::default()).await;
}

/// The same for clients that are waited for as long as `patience` says.
async fn serve_with(
    cluster: Cluster,
    listener: TcpListener,
    tls: Tls,
    stop: impl Future,
    patience: Patience,
) {
    let (stopping, stopped) = watch::channel(false);
    let shop = Arc::new(Shop { cluster, tls, clock: Clock::real(), stopped, patience });
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            _ = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(Arc::clone(&shop).connection(stream));
                }
                // Out of file descriptors, mostly: others have to end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    shop.cluster.end_watches();
    // Nobody is left to hear it where there is no connection.
    let _ = stopping.send(true);
    let _ = timeout(SHUTDOWN, async { while connections.join_next().await.is_some() {} }).await;
}

/// What every connection needs.
struct Shop {
    cluster: Cluster,
    tls: Tls,
    clock: Clock,
    stopped: watch::Receiver<bool>,
    patience: Patience,
}

impl Shop {
    /// One connection, from its first byte to its end. How it ends concerns nobody but the client.
    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let _ = self.try_connection(stream).await;
    }

    async fn try_connection(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut first = [0];
        timeout(HEAD_TIMEOUT, stream.peek(&mut first)).await??;
        if first[0].is_ascii_uppercase() {
            let text =
                "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
            // What is not read before the end would have the answer lost on its way.
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await?;
            stream.write_all(text.as_bytes()).await?;
            return stream.shutdown().await;
        }
        let stream = timeout(HEAD_TIMEOUT, self.tls.acceptor().accept(stream)).await??;
        let seconds = self.clock.now().as_micros() / 1_000_000;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let peer = self.tls.peer(stream.get_ref().1, now);
        let wire = Wire::new(self.cluster.service_for(peer).with_patience(self.patience));
        let builder = builder(stream.get_ref().1.alpn_protocol() == Some(b"h2"));
        let connection = builder.serve_connection(TokioIo::new(stream), wire.clone());
        tokio::pin!(connection);
        let mut stopped = self.stopped.clone();
        let silent = async {
            tokio::time::sleep(self.patience.first_request).await;
            if wire.has_asked() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(io::Error::other),
            _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
            () = silent => return Ok(()),
        }
        connection.await.map_err(io::Error::other)
    }
}

/// A connection speaks what was agreed on with its keys, as with Go's server: HTTP/2 or HTTP/1.1.
fn builder(is_http2: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_buf_size(HEAD_BYTES as usize)
        .half_close(true)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES)
        .keep_alive_interval(IDLE_TIMEOUT)
        .max_concurrent_streams(HTTP2_STREAMS)
        // Informers that start together give up many watches at once; that is no attack.
        .max_pending_accept_reset_streams(HTTP2_STREAMS as usize)
        .max_local_error_reset_streams(HTTP2_STREAMS as usize);
    if is_http2 { builder.http2_only() } else { builder.http1_only() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::{ClientConfig, RootCertStore};
    use tokio_rustls::TlsConnector;

    use super::super::settings::Settings;
    use super::super::tls::Authority;
    use super::*;

    /// What a client reads to the end of its connection, after it sent this and waited.
    async fn heard(sent: &[u8]) -> String {
        let authority = Authority::new().unwrap();
        let pem = authority.pair().certificate.clone();
        let serving = authority.serving(&["localhost".to_owned()]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = Tls::new(&serving, &pem).unwrap();
        let parts = crate::sim::world::Parts { controllers: None, ..Settings::default().parts };
        let cluster = Cluster::start(Settings { parts, ..Settings::default() });
        let first_request = Duration::from_millis(300);
        let patience = Patience { first_request, ..Patience::default() };
        let serving = serve_with(cluster, listener, tls, std::future::pending::<()>(), patience);
        let client = async {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let stream = TcpStream::connect(address).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            let mut stream = connector.connect(name, stream).await.unwrap();
            stream.write_all(sent).await.unwrap();
            let mut text = Vec::new();
            // How the connection ends is not what is asked.
            let _ = stream.read_to_end(&mut text).await;
            String::from_utf8_lossy(&text).into_owned()
        };
        tokio::select! {
            text = client => text,
            () = serving => String::new(),
        }
    }

    /// That this returns at all shows that the connections end.
    #[tokio::test]
    async fn connections_that_ask_nothing_end() {
        assert_eq!(heard(b"").await, "");
        assert_eq!(heard(b"GET /healthz HTTP/1.1\r\nHost: lo").await, "");
    }

    #[tokio::test]
    async fn a_head_of_two_megabytes_is_refused_and_one_below_a_megabyte_is_read() {
        let get = |bytes: usize| {
            let filler = "x".repeat(bytes);
            format!(
                "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-A: {filler}\r\n\r\n"
            )
        };
        let read = heard(get(900 * 1024).as_bytes()).await;
        assert!(read.starts_with("HTTP/1.1 200"), "{read}");
        let refused = heard(get(2 * HEAD_BYTES as usize).as_bytes()).await;
        assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    }
}
