//! The certificate authorities of an image.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Mozilla's authorities as the file that programs look for under `/etc/ssl`. The binary has the same list compiled in; the file is for
/// configs that ask for the system's (`include_system_ca_certs_pool`), and the place to put a company's own on top.
pub(crate) fn pem() -> String {
    let mut text = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let mut encoded = STANDARD.encode(certificate.as_ref());
        while !encoded.is_empty() {
            // Base64 is ASCII, so that any place is a boundary.
            let rest = encoded.split_off(encoded.len().min(64));
            text.push_str(&encoded);
            text.push('\n');
            encoded = rest;
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_authority_is_there_in_lines_of_64() {
        let pem = pem();
        let count = pem.matches("-----BEGIN CERTIFICATE-----").count();
        assert_eq!(count, webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        assert!(count > 100 && pem.lines().all(|line| line.len() <= 64));
    }
}
