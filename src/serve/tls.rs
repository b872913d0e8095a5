//! Certificates and TLS: an authority of our own, what it signs, and who a connection proves to be.
//!
//! A client certificate that the authority did not sign does not end the handshake: as with a
//! kube-apiserver the connection stands, and its requests are answered 401.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName as Subject, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
};
use tokio_rustls::TlsAcceptor;

use super::identity::Peer;
use crate::sim::rest;

/// A certificate or key that cannot be made or read. Nothing is served then.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It could not be made.
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// A PEM text holds none.
    #[error("{what} cannot be read: {why}")]
    Read {
        /// What should be there.
        what: &'static str,
        /// Why it is not.
        why: String,
    },
    /// Certificate and key do not fit.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// A certificate and its key as PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate, with those that lead to its authority.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// An authority that signs certificates.
pub struct Authority {
    pair: Pair,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    /// [`TlsError::Make`].
    pub fn new() -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let certificate = Self::params().self_signed(&key)?.pem();
        let pair = Pair { certificate, key: key.serialize_pem() };
        Ok(Self { pair, issuer: Issuer::new(Self::params(), key) })
    }

    /// The authority that an earlier [`Authority::pair`] was of.
    ///
    /// # Errors
    /// [`TlsError::Make`] where the key is none.
    pub fn again(pair: Pair) -> Result<Self, TlsError> {
        let key = KeyPair::from_pem(&pair.key)?;
        Ok(Self { pair, issuer: Issuer::new(Self::params(), key) })
    }

    /// Its certificate and key.
    #[must_use]
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    fn params() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("towtank", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
        ];
        params
    }

    /// Signs a certificate for a server of these host names and addresses.
    ///
    /// # Errors
    /// [`TlsError::Make`], for a name that is none too.
    pub fn serving(&self, names: &[String]) -> Result<Pair, TlsError> {
        let mut params = CertificateParams::new(names.to_vec())?;
        params.distinguished_name = named("kube-apiserver", &[]);
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Signs a certificate for a client of this name in these groups.
    ///
    /// # Errors
    /// [`TlsError::Make`].
    pub fn client(&self, name: &str, groups: &[&str]) -> Result<Pair, TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name, groups);
        self.sign(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<Pair, TlsError> {
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Pair { certificate, key: key.serialize_pem() })
    }
}

fn named(name: &str, groups: &[&str]) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    // One entry of a kind is what can be written; further groups need a token.
    if let Some(group) = groups.first() {
        subject.push(DnType::OrganizationName, *group);
    }
    subject.push(DnType::CommonName, name);
    subject
}

/// How connections are accepted.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    clients: Arc<dyn ClientCertVerifier>,
    proxies: Option<Proxies>,
}

/// Whose word about users is taken.
#[derive(Clone)]
struct Proxies {
    signed: Arc<dyn ClientCertVerifier>,
    /// Their common names; empty for any.
    names: Vec<String>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS with a server's certificate, for clients whose certificates `authorities` (PEM, any
    /// number of certificates) signed.
    ///
    /// # Errors
    /// [`TlsError`] of reading and of setting up.
    pub fn new(serving: &Pair, authorities: &str) -> Result<Self, TlsError> {
        Self::with_proxies(serving, authorities, None)
    }

    /// The same, with proxies in front that say who sends a request: the certificates of their
    /// authority, and the names that they may have (none given: any).
    ///
    /// # Errors
    /// As [`Tls::new`].
    pub fn with_proxies(
        serving: &Pair,
        authorities: &str,
        proxies: Option<(&str, Vec<String>)>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let clients =
            verifier("the certificate of the clients' authority", authorities, &provider)?;
        let proxies = match proxies {
            Some((pem, names)) => {
                let signed = verifier("the certificate of the proxies' authority", pem, &provider)?;
                Some(Proxies { signed, names })
            }
            None => None,
        };
        let mut hints = clients.root_hint_subjects().to_vec();
        hints.extend(proxies.iter().flat_map(|all| all.signed.root_hint_subjects().to_vec()));
        let chain = certificates("the server's certificate", &serving.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(serving.key.as_bytes())
            .map_err(|e| unread("the server's key", &e))?;
        let anybody = Arc::new(Anybody { provider: Arc::clone(&provider), hints });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(anybody)
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), clients, proxies })
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Who is at the other end of a connection.
    pub(super) fn peer(&self, connection: &ServerConnection, now: UnixTime) -> Peer {
        let Some([own, between @ ..]) = connection.peer_certificates() else {
            return Peer::Unknown;
        };
        let is_client = self.clients.verify_client_cert(own, between, now).is_ok();
        let proxies = self.proxies.as_ref();
        let proxies =
            proxies.filter(|all| all.signed.verify_client_cert(own, between, now).is_ok());
        if !is_client && proxies.is_none() {
            return Peer::Forged;
        }
        let Ok((_, certificate)) = x509_parser::parse_x509_certificate(own) else {
            return Peer::Forged;
        };
        let subject = certificate.subject();
        let text = |value: &x509_parser::x509::AttributeTypeAndValue| {
            value.as_str().unwrap_or_default().to_owned()
        };
        let subject = rest::Subject {
            common_name: subject.iter_common_name().next().map(text).unwrap_or_default(),
            organizations: subject.iter_organization().map(text).collect(),
            fingerprint: hex(::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, own)),
        };
        let is_named = |names: &[String]| names.is_empty() || names.contains(&subject.common_name);
        if proxies.is_some_and(|all| is_named(&all.names)) {
            return Peer::FrontProxy(is_client.then_some(subject));
        }
        if is_client { Peer::Certificate(subject) } else { Peer::Forged }
    }
}

/// What tells whether one of these authorities signed a client's certificate.
fn verifier(
    what: &'static str,
    authorities: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in certificates(what, authorities)? {
        roots.add(root)?;
    }
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    verifier.allow_unauthenticated().build().map_err(|e| unread(what, &e)).map(|found| found as _)
}

fn hex(digest: ::aws_lc_rs::digest::Digest) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn certificates(what: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let read = read.map_err(|e| unread(what, &e))?;
    if read.is_empty() {
        return Err(unread(what, &"there is none"));
    }
    Ok(read)
}

fn unread(what: &'static str, why: &dyn std::fmt::Display) -> TlsError {
    TlsError::Read { what, why: why.to_string() }
}

/// Takes every client certificate whose key the client has; who signed it is looked at later.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
    hints: Vec<Subject>,
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[Subject] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
/// Writes a file that its owner alone can read, whole or not at all.
///
/// # Errors
/// What the file system says.
pub(crate) fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&partial)?.write_all(text.as_bytes())?;
    std::fs::rename(&partial, path)
}
