#![cfg(all(feature = "confmap-http", feature = "extension-health-check"))]

use std::net::TcpListener;
use std::time::Duration;

use confmap::Diagnostics;
use service::{Sources, runtime};

use super::{Target, check, find};
use crate::FAILED;
use crate::cli::HealthCheck;

fn sources(yaml: String) -> Sources {
    Sources { locations: vec![format!("yaml:{yaml}")], ..Sources::default() }
}

fn found(yaml: String) -> Result<Vec<Target>, Diagnostics> {
    runtime::build().unwrap().block_on(find(&sources(yaml)))
}

/// A config whose exporter has a secret behind this reference, and whose page is there.
fn config(secret: &str, endpoint: &str) -> String {
    format!(
        "{{exporters: {{otlp: {{headers: {{key: '{secret}'}}}}}}, extensions: {{health_check: {{endpoint: '{endpoint}', path: /x}}}}, service: {{extensions: [health_check]}}}}"
    )
}

#[test]
fn what_comes_over_the_network_is_asked_for_only_to_learn_where_to_ask() {
    // Nothing listens there, so a config that is read from it cannot be read.
    let nobody = "${http://127.0.0.1:1/x}";
    let page = Target::Extension { address: "h:1".to_owned(), path: "/x".to_owned() };
    assert_eq!(found(config(nobody, "h:1")).unwrap(), [page]);
    assert!(found(config("secret", nobody)).unwrap_err().has_errors());
    assert!(found(nobody.replace(['$', '{', '}'], "")).is_err());
}

#[test]
fn reading_the_config_is_part_of_the_time() {
    // It takes connections, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("${{http://{}/x}}", listener.local_addr().unwrap());
    let how = HealthCheck { endpoint: None, timeout: Duration::from_millis(50) };
    assert_eq!(check(&sources(config("secret", &silent)), &how), FAILED);
}
