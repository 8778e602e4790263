use std::time::Duration;

use confmap::{Diagnostics, Node, Section};

use super::{CipherSuite, Curve, PemSource, TlsClient, TlsServer, TlsVersion};

fn client(yaml: &str) -> (TlsClient, String) {
    let node = Node::from_yaml("file:c.yaml", &format!("tls: {{{yaml}}}")).expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
    let tls = TlsClient::read(&mut section, TlsClient::default());
    section.finish();
    (tls, diagnostics.to_string())
}

fn server(yaml: &str) -> (Option<TlsServer>, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "receivers::otlp", &diagnostics);
    let tls = TlsServer::read(&mut section);
    section.finish();
    (tls, diagnostics.to_string())
}

#[test]
fn client_talks_tls_unless_it_is_told_not_to() {
    assert!(!client("").0.is_plaintext());
    assert!(client("insecure: true").0.is_plaintext());
    let (tls, report) = client("insecure: true, ca_file: /ca.pem");
    assert!(!tls.is_plaintext(), "a CA turns TLS on");
    assert!(report.contains("TLS is used all the same"));
}

#[test]
fn every_key_of_a_client_is_carried_out() {
    let (tls, report) = client(
        "ca_pem: CA, cert_file: c.pem, key_file: k.pem, include_system_ca_certs_pool: true, \
         min_version: '1.3', max_version: '1.3', reload_interval: 1h, server_name_override: a.b, \
         insecure_skip_verify: true, curve_preferences: [P384, X25519], \
         cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]",
    );
    assert_eq!(report, "");
    assert!(matches!(&tls.material.ca, Some(PemSource::Pem(pem)) if pem.expose() == "CA"));
    assert_eq!(tls.material.cert, Some(PemSource::File("c.pem".into())));
    assert_eq!(tls.material.key, Some(PemSource::File("k.pem".into())));
    assert!(tls.material.include_system_ca_certs_pool && tls.insecure_skip_verify);
    assert_eq!(tls.material.min_version, TlsVersion::Tls13);
    assert_eq!(tls.material.max_version, TlsVersion::Tls13);
    assert_eq!(tls.material.reload_interval, Some(Duration::from_secs(3600)));
    assert_eq!(tls.material.cipher_suites, [CipherSuite::EcdheRsaAes256Gcm]);
    assert_eq!(tls.material.curve_preferences, [Curve::P384, Curve::X25519]);
    assert_eq!(tls.server_name.as_deref(), Some("a.b"));
}

#[test]
fn both_forms_of_one_item_and_half_a_pair_are_refused_in_upstreams_words() {
    let report = |yaml| client(yaml).1;
    assert!(
        report("ca_file: a, ca_pem: b").contains("provide either a CA file or the PEM-encoded")
    );
    assert!(
        report("cert_file: a, cert_pem: b, key_file: c").contains("either certificate file or")
    );
    assert!(report("cert_file: a, key_file: b, key_pem: c").contains("either key file or PEM"));
    assert!(report("cert_file: a").contains("must include both certificate and key (CertFile"));
    assert!(!report("ca_pem: s3cret, ca_file: a").contains("s3cret"));
}

#[test]
fn versions_that_are_not_spoken_are_raised_or_refused() {
    let (tls, report) = client("min_version: '1.0'");
    assert_eq!(tls.material.min_version, TlsVersion::Tls12);
    assert!(report.contains("the lowest version is 1.2"));
    assert_eq!(client("").0.material.max_version, TlsVersion::Tls13);
    assert!(client("max_version: '1.1'").1.contains("TLS before 1.2 is not supported"));
    assert!(client("min_version: '1.3', max_version: '1.2'").1.contains("cannot be greater"));
    assert!(client("min_version: 'TLS1'").1.contains("unsupported TLS version: \"TLS1\""));
}

#[test]
fn a_list_of_which_something_remains_is_used_and_one_of_nothing_is_refused() {
    let (tls, report) = client("curve_preferences: [X25519MLKEM768, X25519]");
    assert_eq!(tls.material.curve_preferences, [Curve::X25519]);
    assert!(report.starts_with("warning"), "{report}");
    assert!(client("curve_preferences: [P521]").1.starts_with("error"));
    assert!(client("cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]").1.starts_with("error"));
    assert!(client("cipher_suites: [TLS_X]").1.contains("invalid TLS cipher suite: \"TLS_X\""));
    assert!(client("include_insecure_cipher_suites: true").1.contains("has no effect"));
}

#[test]
fn tpm_is_refused_when_it_is_on() {
    assert!(client("tpm: {enabled: true, path: /dev/tpm0}").1.contains("TPM are not supported"));
    assert_eq!(client("tpm: {enabled: false, path: /dev/tpm0}").1, "");
    let (_, report) = client("tpm: {path: /dev/tpm0, owner_auth: s3cret}");
    assert!(report.contains("tpm::path: is accepted and has no effect"), "{report}");
    assert!(report.contains("tpm::owner_auth") && !report.contains("s3cret"), "{report}");
}

#[test]
fn server_needs_a_certificate_and_says_what_it_does_not_use() {
    assert_eq!(server("{}").0, None);
    assert_eq!(server("tls:").0, None);
    assert!(server("tls: {}").1.contains("both certificate and key for server connections"));
    let (tls, report) = server("tls: {cert_file: c, key_file: k, ca_file: a}");
    assert!(report.contains("to check client certificates set client_ca_file"), "{report}");
    assert!(tls.is_some_and(|tls| tls.client_ca_file.is_none()));
    let (_, report) =
        server("tls: {cert_file: c, key_file: k, include_system_ca_certs_pool: true}");
    assert!(report.contains("include_system_ca_certs_pool: a server does not use it"), "{report}");
    let (tls, report) =
        server("tls: {cert_file: c, key_file: k, client_ca_file: a, client_ca_file_reload: true}");
    assert_eq!(report, "");
    let tls = tls.expect("TLS");
    assert!(tls.client_ca_file_reload && tls.client_ca_file == Some("a".into()));
}

#[test]
fn keys_that_stood_beside_tls_once_are_told_where_they_belong() {
    let node = Node::from_yaml("file:c.yaml", "{insecure: true, ca_file: /x}").expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
    let _tls = TlsClient::read(&mut section, TlsClient::default());
    section.finish();
    let said = diagnostics.sorted();
    let help: Vec<_> = said.iter().map(|d| d.help_text().unwrap_or_default()).collect();
    assert_eq!(help, ["write tls: {insecure: true}", "write tls: {ca_file: …}"]);
}
