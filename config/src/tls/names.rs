//! Cipher suites and curves, by the names of Go's `crypto/tls`.

use confmap::Section;

/// A cipher suite of TLS 1.2 that this program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CipherSuite {
    /// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`
    EcdheEcdsaAes128Gcm,
    /// `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384`
    EcdheEcdsaAes256Gcm,
    /// `TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256`
    EcdheEcdsaChaCha20,
    /// `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`
    EcdheRsaAes128Gcm,
    /// `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`
    EcdheRsaAes256Gcm,
    /// `TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256`
    EcdheRsaChaCha20,
}

/// A key exchange group that this program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// X25519.
    X25519,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

const SUITES: [(&str, CipherSuite); 6] = [
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", CipherSuite::EcdheEcdsaAes128Gcm),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", CipherSuite::EcdheEcdsaAes256Gcm),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::EcdheEcdsaChaCha20),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::EcdheRsaAes128Gcm),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", CipherSuite::EcdheRsaAes256Gcm),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::EcdheRsaChaCha20),
];

/// Always on in TLS 1.3, here and in Go, whether listed or not.
const SUITES_OF_TLS13: [&str; 3] =
    ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/// Suites of Go that rustls leaves out: CBC, and key exchange without forward secrecy.
const SUITES_LEFT_OUT: [&str; 16] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_RC4_128_SHA",
];

const CURVES: [(&str, Curve); 3] =
    [("X25519", Curve::X25519), ("P256", Curve::P256), ("P384", Curve::P384)];

/// Curves of Go that ring does not have.
const CURVES_LEFT_OUT: [&str; 2] = ["P521", "X25519MLKEM768"];

/// Reads `cipher_suites` and `include_insecure_cipher_suites`.
pub(super) fn cipher_suites(tls: &mut Section<'_>) -> Vec<CipherSuite> {
    let names: Vec<String> = tls.get("cipher_suites").unwrap_or_default();
    if tls.get("include_insecure_cipher_suites") == Some(true) {
        let message = "has no effect: insecure cipher suites are not supported here";
        tls.warn("include_insecure_cipher_suites", message);
    }
    let mut suites = Vec::new();
    let (mut left_out, mut known) = (Vec::new(), 0);
    for name in &names {
        if let Some((_, suite)) = SUITES.iter().find(|(known, _)| known == name) {
            suites.push(*suite);
            known += 1;
        } else if SUITES_OF_TLS13.contains(&name.as_str()) {
            known += 1;
        } else if SUITES_LEFT_OUT.contains(&name.as_str()) {
            left_out.push(name.as_str());
        } else {
            tls.error("cipher_suites", format!("invalid TLS cipher suite: {name:?}"));
        }
    }
    report_left_out(tls, "cipher_suites", &left_out, known);
    suites
}

/// Reads `curve_preferences`.
pub(super) fn curves(tls: &mut Section<'_>) -> Vec<Curve> {
    let names: Vec<String> = tls.get("curve_preferences").unwrap_or_default();
    let (mut curves, mut left_out) = (Vec::new(), Vec::new());
    for name in &names {
        if let Some((_, curve)) = CURVES.iter().find(|(known, _)| known == name) {
            curves.push(*curve);
        } else if CURVES_LEFT_OUT.contains(&name.as_str()) {
            left_out.push(name.as_str());
        } else {
            let message =
                format!("invalid curve type: {name}. Expected values are X25519, P256, P384");
            tls.error("curve_preferences", message);
        }
    }
    report_left_out(tls, "curve_preferences", &left_out, curves.len());
    curves
}

/// A list of which something remains is carried out without the rest; one of which nothing
/// remains would allow everything, so it is refused.
fn report_left_out(tls: &Section<'_>, key: &str, left_out: &[&str], remaining: usize) {
    if left_out.is_empty() {
        return;
    }
    let message = format!("not supported here: {}", left_out.join(", "));
    if remaining == 0 {
        tls.error(key, message);
    } else {
        tls.warn(key, format!("{message}; the others are used"));
    }
}
