//! The authorities a client trusts when none is set.

use std::sync::{Arc, LazyLock, OnceLock};

use rustls::RootCertStore;

use crate::client::Environment;

/// The public authorities, compiled in; or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, which
/// replace them, as they do in Go. Made once, when first asked for.
pub(crate) fn public_roots(environment: &Environment) -> Arc<RootCertStore> {
    static COMPILED_IN: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
        Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    });
    let (file, folder) = (&environment.ssl_cert_file, &environment.ssl_cert_dir);
    if file.is_none() && folder.is_none() {
        return COMPILED_IN.clone();
    }
    let loaded = rustls_native_certs::load_certs_from_paths(file.as_deref(), folder.as_deref());
    for error in &loaded.errors {
        tracing::warn!(%error, "can't use a certificate of SSL_CERT_FILE or SSL_CERT_DIR");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(loaded.certs);
    Arc::new(roots)
}

/// The authorities of the operating system. Read once, when first asked for.
pub(super) fn system_roots() -> Arc<RootCertStore> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let load = || {
        let loaded = rustls_native_certs::load_native_certs();
        for error in &loaded.errors {
            tracing::warn!(%error, "can't use a certificate of the system's pool");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(loaded.certs);
        Arc::new(roots)
    };
    SYSTEM.get_or_init(load).clone()
}
