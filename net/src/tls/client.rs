//! TLS of a client.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::time::Instant;

use super::{Pems, Place, TlsError, authorities, provider, public_roots, trust, versions};
use crate::client::Environment;

/// A client's certificate and trust. Nothing is read or parsed before the first connection; [`check_client`] looks earlier, where that is wanted.
#[derive(Debug)]
pub struct ClientTls {
    settings: config::TlsClient,
    alpn: Vec<Vec<u8>>,
    environment: Environment,
    current: Mutex<Option<Current>>,
}

struct Current {
    config: Arc<ClientConfig>,
    pems: Pems,
    checked: Instant,
}

impl ClientTls {
    /// A client that offers the protocols of `alpn`, best first.
    #[must_use]
    pub fn new(settings: &config::TlsClient, alpn: &[&str], environment: &Environment) -> Self {
        Self {
            settings: settings.clone(),
            alpn: alpn.iter().map(|name| name.as_bytes().to_vec()).collect(),
            environment: environment.clone(),
            current: Mutex::new(None),
        }
    }

    /// The configuration for the next connection. Files are read the first time, and again when
    /// `reload_interval` is over; while changed ones can't be used, the old configuration stays.
    ///
    /// # Errors
    /// When a file can't be read the first time, or its content can't be used.
    pub async fn config(self: &Arc<Self>) -> Result<Arc<ClientConfig>, TlsError> {
        let known = {
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            match current.as_mut() {
                None => None,
                Some(current) => {
                    let interval = self.settings.material.reload_interval;
                    let is_due =
                        interval.is_some_and(|interval| current.checked.elapsed() >= interval);
                    if !is_due {
                        return Ok(current.config.clone());
                    }
                    current.checked = Instant::now();
                    Some(current.config.clone())
                }
            }
        };
        let this = self.clone();
        let renewed = tokio::task::spawn_blocking(move || this.renew()).await;
        match (renewed, known) {
            (Ok(Ok(renewed)), _) => Ok(renewed),
            (Ok(Err(error)), Some(known)) => {
                tracing::error!(%error, "changed TLS files can't be used, the old ones stay");
                Ok(known)
            }
            (Ok(Err(error)), None) => Err(error),
            (Err(_cancelled), Some(known)) => Ok(known),
            (Err(_cancelled), None) => Err(TlsError::Interrupted),
        }
    }

    /// The name to ask for and to check: the configured one, or the endpoint's host.
    ///
    /// # Errors
    /// When the configured name is none.
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        let name = self.settings.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName(name.to_owned()))
    }

    fn renew(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let pems = Pems::read(&self.settings.material)?;
        {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(current) = current.as_ref().filter(|current| current.pems == pems) {
                return Ok(current.config.clone());
            }
        }
        let config = self.build(&pems)?;
        let renewed = Current { config: config.clone(), pems, checked: Instant::now() };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.replace(renewed).is_some() {
            tracing::info!("took up changed TLS files");
        }
        Ok(config)
    }

    fn build(&self, pems: &Pems) -> Result<Arc<ClientConfig>, TlsError> {
        let roots = || self.roots(pems);
        let mut config = configuration(&self.settings, pems, roots)?;
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(Arc::new(config))
    }

    /// The own authorities, or else the public ones; with those of the system if that is set.
    fn roots(&self, pems: &Pems) -> Result<Arc<RootCertStore>, TlsError> {
        let mut roots = match &pems.ca {
            Some(pem) => Arc::new(authorities(pem, &Place::of_ca(&self.settings.material))?),
            None => public_roots(&self.environment),
        };
        if self.settings.material.include_system_ca_certs_pool {
            let system = trust::system_roots();
            Arc::make_mut(&mut roots).roots.extend(system.roots.iter().cloned());
        }
        Ok(roots)
    }
}

/// Reads what these settings name, and sees whether it can be used: what a client would find out with its first connection. The usual
/// authorities are not read. Blocks on the file system.
///
/// # Errors
/// When a file can't be read, or a text can't be used.
pub fn check_client(settings: &config::TlsClient) -> Result<(), TlsError> {
    let material = &settings.material;
    if material.ca.is_none() && material.cert.is_none() && material.key.is_none() {
        return Ok(());
    }
    let pems = Pems::read(material)?;
    let own = match &pems.ca {
        Some(pem) => authorities(pem, &Place::of_ca(material))?,
        None => RootCertStore::empty(),
    };
    configuration(settings, &pems, || Ok(Arc::new(own)))?;
    Ok(())
}

/// What settings and texts make, without protocols to offer. The authorities are asked for where any certificate may not do.
fn configuration(
    settings: &config::TlsClient,
    pems: &Pems,
    roots: impl FnOnce() -> Result<Arc<RootCertStore>, TlsError>,
) -> Result<ClientConfig, TlsError> {
    let material = &settings.material;
    let provider = provider(material);
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(material))
        .map_err(TlsError::Versions)?;
    let builder = if settings.insecure_skip_verify {
        let verifier = Arc::new(AnyCertificate(provider));
        builder.dangerous().with_custom_certificate_verifier(verifier)
    } else {
        builder.with_root_certificates(roots()?)
    };
    match pems.pair(material)? {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(TlsError::Pair),
    }
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("checked", &self.checked).finish_non_exhaustive()
    }
}

/// `insecure_skip_verify`: any certificate is good, but the peer must hold its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
