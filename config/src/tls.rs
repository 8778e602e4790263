//! TLS of clients and servers, as upstream's `config/configtls`.

use std::path::PathBuf;
use std::time::Duration;

use confmap::{Decode, Mismatch, Node, Opaque, Presence, Section};

mod names;

pub use names::{CipherSuite, Curve};

/// The section `tls` of a client. A client talks TLS unless it is told not to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsClient {
    /// Certificates and versions.
    pub material: TlsMaterial,
    /// No TLS at all, unless a CA is set.
    pub insecure: bool,
    /// TLS, but the server's certificate is not checked against any authority.
    pub insecure_skip_verify: bool,
    /// The name asked for and checked in place of the endpoint's host.
    pub server_name: Option<String>,
}

/// The section `tls` of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsServer {
    /// Certificates and versions.
    pub material: TlsMaterial,
    /// Authorities of client certificates; when set, every client must show one.
    pub client_ca_file: Option<PathBuf>,
    /// Whether a change of `client_ca_file` is taken up, looked for at most once a second.
    pub client_ca_file_reload: bool,
}

/// What clients and servers have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsMaterial {
    /// Authorities to trust. A client without any trusts the usual public ones.
    pub ca: Option<PemSource>,
    /// Whether the system's authorities are trusted besides.
    pub include_system_ca_certs_pool: bool,
    /// The own certificate with its chain; present together with `key`.
    pub cert: Option<PemSource>,
    /// The private key.
    pub key: Option<PemSource>,
    /// The lowest version spoken.
    pub min_version: TlsVersion,
    /// The highest version spoken.
    pub max_version: TlsVersion,
    /// The suites allowed in TLS 1.2; empty for all. TLS 1.3 always has its own three.
    pub cipher_suites: Vec<CipherSuite>,
    /// The key exchange groups, best first; empty for all.
    pub curve_preferences: Vec<Curve>,
    /// How often certificate files are read again; `None` for never.
    pub reload_interval: Option<Duration>,
}

/// Where a PEM text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PemSource {
    /// A file.
    File(PathBuf),
    /// The text itself.
    Pem(Opaque),
}

/// A version of TLS. The older ones are not spoken by this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl TlsClient {
    /// Reads the section `tls`.
    #[must_use]
    pub fn read(section: &mut Section<'_>, defaults: Self) -> Self {
        for key in ONCE_BESIDE_TLS {
            let value = if key.starts_with("insecure") { "true" } else { "…" };
            section.stray(
                key,
                format!("is not a key of this section, it is \"tls::{key}\""),
                format!("write tls: {{{key}: {value}}}"),
            );
        }
        let mut tls = section.section("tls");
        let read = Self {
            material: TlsMaterial::read(&mut tls, defaults.material),
            insecure: tls.get("insecure").unwrap_or(defaults.insecure),
            insecure_skip_verify: tls
                .get("insecure_skip_verify")
                .unwrap_or(defaults.insecure_skip_verify),
            server_name: tls
                .get("server_name_override")
                .or(defaults.server_name)
                .filter(|name: &String| !name.is_empty()),
        };
        if read.insecure && read.material.ca.is_some() {
            tls.warn("insecure", "TLS is used all the same, because a CA is configured");
        }
        tls.finish();
        read
    }

    /// Whether a gRPC connection is made without TLS.
    #[must_use]
    pub fn is_plaintext(&self) -> bool {
        self.insecure && self.material.ca.is_none()
    }
}

/// Keys of a client's `tls` that upstream had beside the endpoint once.
const ONCE_BESIDE_TLS: [&str; 6] = [
    "insecure",
    "insecure_skip_verify",
    "ca_file",
    "cert_file",
    "key_file",
    "server_name_override",
];

const NOT_A_SERVERS: &str =
    "a server does not use it; to check client certificates set client_ca_file";

impl TlsServer {
    /// Reads the section `tls`; `None` when it is not there.
    #[must_use]
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let mut tls = section.optional_section("tls", Presence::None)?;
        let read = Self {
            material: TlsMaterial::read(&mut tls, TlsMaterial::default()),
            client_ca_file: path(&mut tls, "client_ca_file"),
            client_ca_file_reload: tls.get("client_ca_file_reload").unwrap_or(false),
        };
        if read.material.cert.is_none() && read.material.key.is_none() {
            let message =
                "TLS configuration must include both certificate and key for server connections";
            tls.error_here(message);
        }
        if read.material.ca.is_some() {
            let key = if tls.is_set("ca_file") { "ca_file" } else { "ca_pem" };
            tls.warn(key, NOT_A_SERVERS);
        }
        if read.material.include_system_ca_certs_pool {
            tls.warn("include_system_ca_certs_pool", NOT_A_SERVERS);
        }
        tls.finish();
        Some(read)
    }
}

impl TlsMaterial {
    fn read(tls: &mut Section<'_>, defaults: Self) -> Self {
        let ca = pem(
            tls,
            ["ca_file", "ca_pem"],
            "provide either a CA file or the PEM-encoded string, but not both",
        );
        let cert = pem(
            tls,
            ["cert_file", "cert_pem"],
            "provide either certificate file or PEM, but not both",
        );
        let key = pem(tls, ["key_file", "key_pem"], "provide either key file or PEM, but not both");
        if cert.is_some() != key.is_some() {
            tls.error_here(
                "TLS configuration must include both certificate and key (CertFile/CertPem and KeyFile/KeyPem)",
            );
        }
        let (min_version, max_version) = versions(tls);
        refuse_tpm(tls);
        Self {
            ca: ca.or(defaults.ca),
            cert: cert.or(defaults.cert),
            key: key.or(defaults.key),
            include_system_ca_certs_pool: tls
                .get("include_system_ca_certs_pool")
                .unwrap_or(defaults.include_system_ca_certs_pool),
            min_version,
            max_version,
            cipher_suites: names::cipher_suites(tls),
            curve_preferences: names::curves(tls),
            reload_interval: match tls.get("reload_interval") {
                Some(interval) => Some(interval).filter(|interval: &Duration| !interval.is_zero()),
                None => defaults.reload_interval,
            },
        }
    }
}

impl Default for TlsMaterial {
    fn default() -> Self {
        Self {
            ca: None,
            include_system_ca_certs_pool: false,
            cert: None,
            key: None,
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            cipher_suites: Vec::new(),
            curve_preferences: Vec::new(),
            reload_interval: None,
        }
    }
}

/// A version as upstream writes it: empty, `1.0` to `1.3`.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Written {
    Unset,
    V10,
    V11,
    V12,
    V13,
}

impl Decode for Written {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let text = String::decode(node)?;
        match text.as_str() {
            "" => Ok(Self::Unset),
            "1.0" => Ok(Self::V10),
            "1.1" => Ok(Self::V11),
            "1.2" => Ok(Self::V12),
            "1.3" => Ok(Self::V13),
            _ => Err(Mismatch::new(format!("unsupported TLS version: {text:?}"))
                .help("valid values: \"1.2\", \"1.3\"")),
        }
    }
}

/// TLS 1.0 and 1.1 are not spoken: as a lower bound they are raised, as an upper bound refused.
fn versions(tls: &mut Section<'_>) -> (TlsVersion, TlsVersion) {
    let min = tls.get("min_version").unwrap_or(Written::Unset);
    let max = tls.get("max_version").unwrap_or(Written::Unset);
    if matches!(min, Written::V10 | Written::V11) {
        tls.warn("min_version", "TLS before 1.2 is not supported here; the lowest version is 1.2");
    }
    if matches!(max, Written::V10 | Written::V11) {
        tls.error("max_version", "TLS before 1.2 is not supported here; use \"1.2\" or \"1.3\"");
    }
    if max != Written::Unset && max < min {
        let message = "invalid TLS configuration: min_version cannot be greater than max_version";
        tls.error("min_version", message);
    }
    let min = if min == Written::V13 { TlsVersion::Tls13 } else { TlsVersion::Tls12 };
    let max = if max == Written::V12 { TlsVersion::Tls12 } else { TlsVersion::Tls13 };
    (min, max)
}

fn pem(tls: &mut Section<'_>, keys: [&'static str; 2], both: &str) -> Option<PemSource> {
    let [file, text] = keys;
    let path = path(tls, file);
    let pem = tls.get::<Opaque>(text).filter(|pem| !pem.is_empty());
    if path.is_some() && pem.is_some() {
        tls.error(text, both);
    }
    path.map(PemSource::File).or(pem.map(PemSource::Pem))
}

fn path(tls: &mut Section<'_>, key: &'static str) -> Option<PathBuf> {
    tls.get::<String>(key).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn refuse_tpm(tls: &mut Section<'_>) {
    let mut tpm = tls.section("tpm");
    let enabled = tpm.get("enabled");
    if enabled == Some(true) {
        tpm.error("enabled", "keys in a TPM are not supported; use key_file or key_pem");
    }
    for key in ["path", "owner_auth", "auth"] {
        // A secret stays one for `print-config`.
        let _secret: Option<Opaque> = tpm.get(key);
        if enabled != Some(false) {
            tpm.ignored(key, "keys in a TPM are not supported");
        }
    }
    tpm.finish();
}

#[cfg(test)]
mod tests;
