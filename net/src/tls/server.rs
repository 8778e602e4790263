//! TLS of a server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::time::Instant;

use super::{Pems, Place, TlsError, authorities, provider, read, versions};

/// How often a changed `client_ca_file` is looked for, as upstream.
const CLIENT_CA_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A server's certificate and rules, renewed when its files change. An idle server reads nothing:
/// files are looked at when a connection comes in and their interval is over.
pub struct ServerTls {
    settings: config::TlsServer,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    pems: Pems,
    checked: Instant,
}

impl ServerTls {
    /// Reads the files and builds the configuration. Blocks on the file system.
    ///
    /// # Errors
    /// When a file can't be read, or its content can't be used.
    pub fn load(settings: &config::TlsServer) -> Result<Self, TlsError> {
        let pems = read_all(settings)?;
        let config = build(settings, &pems)?;
        let current = Mutex::new(Current { config, pems, checked: Instant::now() });
        Ok(Self { settings: settings.clone(), current })
    }

    /// The configuration for the next connection. Files that changed are taken up first; while
    /// they can't be used, the old configuration stays.
    pub(crate) async fn config(self: &Arc<Self>) -> Arc<ServerConfig> {
        let (config, is_due) = {
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due =
                self.check_interval().is_some_and(|interval| current.checked.elapsed() >= interval);
            if is_due {
                current.checked = Instant::now();
            }
            (current.config.clone(), is_due)
        };
        if !is_due {
            return config;
        }
        let this = self.clone();
        let renewed = tokio::task::spawn_blocking(move || this.renew()).await;
        match renewed {
            Ok(Ok(renewed)) => renewed,
            Ok(Err(error)) => {
                tracing::error!(%error, "changed TLS files can't be used, the old ones stay");
                config
            }
            Err(_cancelled) => config,
        }
    }

    fn check_interval(&self) -> Option<Duration> {
        let client_ca = self.settings.client_ca_file_reload.then_some(CLIENT_CA_CHECK_INTERVAL);
        self.settings.material.reload_interval.into_iter().chain(client_ca).min()
    }

    /// Reads again what may change, and builds anew if it has.
    fn renew(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let (before, config) = {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            (current.pems.clone(), current.config.clone())
        };
        let mut pems = before.clone();
        if self.settings.material.reload_interval.is_some() {
            pems = Pems { client_ca: pems.client_ca, ..Pems::read(&self.settings.material)? };
        }
        if self.settings.client_ca_file_reload {
            pems.client_ca = read_client_ca(&self.settings)?;
        }
        if pems == before {
            return Ok(config);
        }
        let config = build(&self.settings, &pems)?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        (current.config, current.pems) = (config.clone(), pems);
        tracing::info!("took up changed TLS files");
        Ok(config)
    }
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn read_all(settings: &config::TlsServer) -> Result<Pems, TlsError> {
    Ok(Pems { client_ca: read_client_ca(settings)?, ..Pems::read(&settings.material)? })
}

fn read_client_ca(settings: &config::TlsServer) -> Result<Option<Vec<u8>>, TlsError> {
    let source = settings.client_ca_file.clone().map(config::PemSource::File);
    read(source.as_ref(), "client_ca_file")
}

fn build(settings: &config::TlsServer, pems: &Pems) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider(&settings.material);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(&settings.material))
        .map_err(TlsError::Versions)?;
    let builder = match &pems.client_ca {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let file = settings.client_ca_file.clone().map(config::PemSource::File);
            let client_ca = Place::of(file.as_ref(), "client_ca_file", "client_ca_file");
            let roots = Arc::new(authorities(pem, &client_ca)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(TlsError::ClientVerifier)?)
        }
    };
    let material = &settings.material;
    let none = || TlsError::NoCertificate { place: Place::of_cert(material) };
    let (chain, key) = pems.pair(material)?.ok_or_else(none)?;
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
