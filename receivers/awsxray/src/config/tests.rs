use confmap::Diagnostics;

use super::*;

fn read(yaml: &str) -> (Config, Vec<String>) {
    let node = Node::from_yaml("test.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "receivers::awsxray", &diagnostics));
    (config, diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect())
}

#[test]
fn defaults_are_the_daemons_ports_and_x_ray() {
    let (config, messages) = read("{}");
    assert!(messages.is_empty(), "{messages:?}");
    assert_eq!(config.endpoint, "localhost:2000");
    assert_eq!(config.proxy.server.address, ListenAddress::tcp("localhost:2000"));
    assert!(!config.proxy.server.keep_alives_enabled);
    assert_eq!(config.proxy.tls, TlsClient::default());
    let main = Route {
        paths: None,
        service: "xray".to_owned(),
        endpoint: None,
        aws: aws::Settings::default(),
    };
    assert_eq!(config.proxy.routes, [main]);
}

#[test]
fn every_key_of_the_proxy_is_carried_out_and_rules_inherit_region_and_role() {
    let (config, messages) = read(
        "{endpoint: \"0.0.0.0:1\", transport: udp, proxy_server: {endpoint: \"0.0.0.0:2\", proxy_address: \"http://p:1\",
          tls: {insecure: true, server_name_override: n}, region: eu-west-1, role_arn: \"arn:a\", aws_endpoint: \"http://x:1\",
          additional_routing_rules: [
            {paths: [/A, B], service_name: logs},
            {paths: [C], service_name: monitoring, region: us-east-1, role_arn: \"arn:b\", aws_endpoint: \"https://m\"}]}}",
    );
    assert!(messages.is_empty(), "{messages:?}");
    let proxy = config.proxy;
    assert_eq!(
        (config.endpoint.as_str(), proxy.server.address),
        ("0.0.0.0:1", ListenAddress::tcp("0.0.0.0:2"))
    );
    assert!(proxy.tls.insecure_skip_verify && !proxy.tls.insecure);
    assert_eq!(proxy.tls.server_name.as_deref(), Some("n"));
    assert_eq!(proxy.proxy_url.unwrap().expose(), "http://p:1");
    let shown: Vec<_> = proxy
        .routes
        .iter()
        .map(|route| {
            let role = route.aws.role.as_ref().map(|role| role.arn.as_str());
            let endpoint = route.endpoint.as_ref().map(ToString::to_string).unwrap_or_default();
            let paths = route.paths.clone().unwrap_or_default().join(",");
            format!(
                "{paths} {} {} {} {endpoint}",
                route.service,
                route.aws.region.clone().unwrap(),
                role.unwrap()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "A,B logs eu-west-1 arn:a ",
            "C monitoring us-east-1 arn:b https://m/",
            " xray eu-west-1 arn:a http://x:1/"
        ]
    );
}

#[test]
fn wrong_settings_are_refused_by_name() {
    for (yaml, part) in [
        ("{transport: tcp}", "\"tcp\" is not supported"),
        ("{endpoint: localhost}", "missing port"),
        ("{proxy_server: {endpoint: localhost}}", "missing port"),
        ("{proxy_server: {aws_endpoint: x}}", "not a URL"),
        ("{proxy_server: {proxy_address: \"p:1\"}}", "not a URL"),
        ("{proxy_server: {service_name: \"a/b\"}}", "service's name"),
        ("{proxy_server: {additional_routing_rules: [{paths: [A]}]}}", "service's name"),
        ("{proxy_server: {additional_routing_rules: [{service_name: xray}]}}", "at least one path"),
        ("{proxy_serve: {}}", "proxy_serve"),
        ("{proxy_server: {local_mode: true}}", "only asked"),
    ] {
        let (_, messages) = read(yaml);
        assert!(messages.iter().any(|message| message.contains(part)), "{yaml}: {messages:?}");
    }
}
