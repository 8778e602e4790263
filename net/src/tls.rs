//! TLS by rustls with ring: settings turned into configurations, and changed files taken up.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use config::{CipherSuite, Curve, PemSource, TlsMaterial, TlsVersion};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, SupportedCipherSuite, SupportedProtocolVersion, version};

mod client;
mod server;
mod trust;

pub use client::{ClientTls, check_client};
pub use server::ServerTls;
pub(crate) use trust::public_roots;

/// Why TLS settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("can't read tls.{key} {}: {source}", path.display())]
    Read {
        /// The key of the setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A text has no certificate in it, or a broken one.
    #[error("tls.{place} has no valid certificate in PEM format")]
    NoCertificate {
        /// The key of the setting, and the file if there is one.
        place: Place,
    },
    /// A text has no private key in it, or a broken one.
    #[error("tls.{place} has no valid private key in PEM format")]
    NoKey {
        /// The key of the setting, and the file if there is one.
        place: Place,
    },
    /// Certificate and key do not fit together, or can't be used.
    #[error("the TLS certificate can't be used with its key: {0}")]
    Pair(#[source] rustls::Error),
    /// The versions, suites and curves leave nothing to agree on.
    #[error("the TLS versions, cipher suites and curves can't be used together: {0}")]
    Versions(#[source] rustls::Error),
    /// Client certificates can't be verified with these authorities.
    #[error("client certificates can't be verified with tls.client_ca_file: {0}")]
    ClientVerifier(#[source] rustls::server::VerifierBuilderError),
    /// The process is ending.
    #[error("reading the TLS files was interrupted")]
    Interrupted,
    /// The name is no host name and no address.
    #[error("tls.server_name_override {0:?} is no valid host name")]
    ServerName(String),
}

/// Where a PEM text was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    key: &'static str,
    file: Option<PathBuf>,
}

impl Place {
    /// The place of a setting's text, by the keys for a file and for the text itself.
    fn of(source: Option<&PemSource>, file_key: &'static str, text_key: &'static str) -> Self {
        match source {
            Some(PemSource::File(path)) => Self { key: file_key, file: Some(path.clone()) },
            Some(PemSource::Pem(_)) => Self { key: text_key, file: None },
            None => Self { key: file_key, file: None },
        }
    }

    fn of_ca(material: &TlsMaterial) -> Self {
        Self::of(material.ca.as_ref(), "ca_file", "ca_pem")
    }

    fn of_cert(material: &TlsMaterial) -> Self {
        Self::of(material.cert.as_ref(), "cert_file", "cert_pem")
    }

    fn of_key(material: &TlsMaterial) -> Self {
        Self::of(material.key.as_ref(), "key_file", "key_pem")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{} {}", self.key, file.display()),
            None => f.write_str(self.key),
        }
    }
}

/// PEM texts as they were read, so that a change is noticed.
#[derive(Clone, Default, PartialEq, Eq)]
struct Pems {
    ca: Option<Vec<u8>>,
    cert: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

impl Pems {
    fn read(material: &TlsMaterial) -> Result<Self, TlsError> {
        Ok(Self {
            ca: read(material.ca.as_ref(), "ca_file")?,
            cert: read(material.cert.as_ref(), "cert_file")?,
            key: read(material.key.as_ref(), "key_file")?,
            client_ca: None,
        })
    }

    /// The own certificate with its chain, and its key, of these settings.
    fn pair(&self, material: &TlsMaterial) -> Result<Option<Pair>, TlsError> {
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else {
            return Ok(None);
        };
        let chain = certificates(cert, &Place::of_cert(material))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_broken| TlsError::NoKey { place: Place::of_key(material) })?;
        Ok(Some((chain, key)))
    }
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(source: Option<&PemSource>, key: &'static str) -> Result<Option<Vec<u8>>, TlsError> {
    match source {
        None => Ok(None),
        Some(PemSource::Pem(pem)) => Ok(Some(pem.expose().as_bytes().to_vec())),
        Some(PemSource::File(path)) => std::fs::read(path)
            .map(Some)
            .map_err(|source| TlsError::Read { key, path: path.clone(), source }),
    }
}

fn certificates(pem: &[u8], place: &Place) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let none = || TlsError::NoCertificate { place: place.clone() };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_broken| none())?;
    if chain.is_empty() { Err(none()) } else { Ok(chain) }
}

/// The authorities of a PEM text; one that can't be parsed makes the text unusable.
fn authorities(pem: &[u8], place: &Place) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, place)? {
        let none = |_broken| TlsError::NoCertificate { place: place.clone() };
        roots.add(certificate).map_err(none)?;
    }
    Ok(roots)
}

/// ring, with the suites and curves that the settings leave.
fn provider(material: &TlsMaterial) -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    if !material.cipher_suites.is_empty() {
        let allowed: Vec<_> =
            material.cipher_suites.iter().map(|suite| cipher_suite(*suite)).collect();
        provider
            .cipher_suites
            .retain(|suite| suite.version() == &version::TLS13 || allowed.contains(suite));
    }
    if !material.curve_preferences.is_empty() {
        provider.kx_groups =
            material.curve_preferences.iter().map(|curve| kx_group(*curve)).collect();
    }
    Arc::new(provider)
}

fn versions(material: &TlsMaterial) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(TlsVersion::Tls13, &version::TLS13), (TlsVersion::Tls12, &version::TLS12)];
    let range = material.min_version..=material.max_version;
    all.into_iter()
        .filter(|(version, _)| range.contains(version))
        .map(|(_, version)| version)
        .collect()
}

fn cipher_suite(suite: CipherSuite) -> SupportedCipherSuite {
    use ring::cipher_suite as suites;
    match suite {
        CipherSuite::EcdheEcdsaAes128Gcm => suites::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::EcdheEcdsaAes256Gcm => suites::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::EcdheEcdsaChaCha20 => suites::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite::EcdheRsaAes128Gcm => suites::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::EcdheRsaAes256Gcm => suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::EcdheRsaChaCha20 => suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    }
}

fn kx_group(curve: Curve) -> &'static dyn SupportedKxGroup {
    match curve {
        Curve::X25519 => ring::kx_group::X25519,
        Curve::P256 => ring::kx_group::SECP256R1,
        Curve::P384 => ring::kx_group::SECP384R1,
    }
}

#[cfg(test)]
mod tests;
