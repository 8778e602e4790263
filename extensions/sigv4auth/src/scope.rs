//! Which service and region a host belongs to.
//!
//! The services are those of open-telemetry/opentelemetry-collector-contrib `extension/sigv4authextension/signingroundtripper.go`.

/// What the labels of a service's hosts begin with, and its signing name.
const SERVICES: [(&str, &str); 5] = [
    ("aps-workspaces", "aps"),
    ("search-", "es"),
    ("logs", "logs"),
    ("xray", "xray"),
    ("monitoring", "monitoring"),
];

/// A service's signing name and a region's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inferred<'a> {
    pub(crate) service: Option<&'static str>,
    pub(crate) region: Option<&'a str>,
}

/// What a host such as `xray.eu-west-1.amazonaws.com` says. Those of VPC endpoints have a label before it.
pub(crate) fn infer(host: &str) -> Inferred<'_> {
    let labels: Vec<&str> = host.split('.').collect();
    let service_and_region = labels.windows(2).find_map(|pair| match pair {
        [label, region] if is_region(region) => Some((service(label), *region)),
        _ => None,
    });
    match service_and_region {
        Some((service, region)) => Inferred { service, region: Some(region) },
        None => Inferred::default(),
    }
}

fn service(label: &str) -> Option<&'static str> {
    let label = label.strip_suffix("-fips").unwrap_or(label);
    let fits = |(name, _): &&(&str, &str)| {
        // A domain of OpenSearch has its own name behind the dash.
        if name.ends_with('-') { label.starts_with(name) } else { label == *name }
    };
    SERVICES.iter().find(fits).map(|(_, service)| *service)
}

/// Whether a label is a region's name: letters, one or more words, and a number.
fn is_region(label: &str) -> bool {
    let mut words = label.split('-');
    let is_area = words.next().is_some_and(|area| {
        (2..=4).contains(&area.len()) && area.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    let number = words.next_back().is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let mut between = 0;
    let is_named = words.all(|word| {
        between += 1;
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    is_area && number && is_named && (1..=2).contains(&between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_regions_are_told_by_hosts() {
        for (host, service, region) in [
            ("xray.eu-west-1.amazonaws.com", "xray", "eu-west-1"),
            ("xray-fips.us-east-2.amazonaws.com", "xray", "us-east-2"),
            ("xray.us-gov-west-1.amazonaws.com", "xray", "us-gov-west-1"),
            ("logs.cn-north-1.amazonaws.com.cn", "logs", "cn-north-1"),
            ("monitoring.ap-southeast-4.api.aws", "monitoring", "ap-southeast-4"),
            ("logs.eusc-de-east-1.amazonaws.eu", "logs", "eusc-de-east-1"),
            ("aps-workspaces.us-west-2.amazonaws.com", "aps", "us-west-2"),
            ("search-mine-abc123.eu-central-1.es.amazonaws.com", "es", "eu-central-1"),
            ("vpce-0a1b-2c3d.xray.eu-west-1.vpce.amazonaws.com", "xray", "eu-west-1"),
        ] {
            let expected = Inferred { service: Some(service), region: Some(region) };
            assert_eq!(infer(host), expected, "{host}");
        }
    }

    #[test]
    fn other_hosts_say_nothing_or_their_region_alone() {
        for host in [
            "localhost",
            "127.0.0.1",
            "::1",
            "xray",
            "xray.example.com",
            "logs-of.example.com",
            "xray.eu-west-.amazonaws.com",
            "xray.eu-1.amazonaws.com",
            "",
        ] {
            assert_eq!(infer(host), Inferred::default(), "{host}");
        }
        let expected = Inferred { service: None, region: Some("eu-west-1") };
        assert_eq!(infer("abc.execute-api.eu-west-1.amazonaws.com"), expected);
        assert_eq!(infer("logserver.eu-west-1.example.com"), expected);
    }
}
