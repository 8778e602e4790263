//! Where services are: their host names by region, partition and variant.

use http::Uri;

use crate::region::Region;

/// A service, by the names it has in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// In host names.
    pub host: &'static str,
    /// In signatures.
    pub signing_name: &'static str,
    /// In `AWS_ENDPOINT_URL_<NAME>`.
    pub variable_name: &'static str,
    /// In the shared files' `services` sections.
    pub file_name: &'static str,
}

/// Which of a service's endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// One with validated cryptography.
    pub fips: bool,
    /// One with IPv6, too.
    pub dual_stack: bool,
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $host:literal, $signing:literal, $variable:literal, $file:literal;)*) => {
        impl Service {
            $($(#[$doc])* pub const $name: Self = Self {
                host: $host,
                signing_name: $signing,
                variable_name: $variable,
                file_name: $file,
            };)*
        }
    };
}

services! {
    /// AppConfig's data plane.
    APP_CONFIG_DATA: "appconfigdata", "appconfig", "APPCONFIGDATA", "appconfigdata";
    /// EC2.
    EC2: "ec2", "ec2", "EC2", "ec2";
    /// CloudWatch Logs.
    LOGS: "logs", "logs", "CLOUDWATCH_LOGS", "cloudwatch_logs";
    /// CloudWatch.
    MONITORING: "monitoring", "monitoring", "CLOUDWATCH", "cloudwatch";
    /// S3.
    S3: "s3", "s3", "S3", "s3";
    /// Secrets Manager.
    SECRETS_MANAGER: "secretsmanager", "secretsmanager", "SECRETS_MANAGER", "secrets_manager";
    /// Systems Manager, for its parameters.
    SSM: "ssm", "ssm", "SSM", "ssm";
    /// The Security Token Service.
    STS: "sts", "sts", "STS", "sts";
    /// X-Ray.
    XRAY: "xray", "xray", "XRAY", "xray";
}

/// Domains of a partition: of the usual endpoints, and of those with IPv6.
struct Partition {
    /// What its regions begin with.
    prefix: &'static str,
    domain: &'static str,
    dual_stack: &'static str,
}

/// All but the first, which is every other region's, too (botocore `data/partitions.json`).
const PARTITIONS: [Partition; 7] = [
    Partition {
        prefix: "cn-",
        domain: "amazonaws.com.cn",
        dual_stack: "api.amazonwebservices.com.cn",
    },
    Partition { prefix: "us-gov-", domain: "amazonaws.com", dual_stack: "api.aws" },
    Partition { prefix: "us-iso-", domain: "c2s.ic.gov", dual_stack: "api.aws.ic.gov" },
    Partition { prefix: "us-isob-", domain: "sc2s.sgov.gov", dual_stack: "api.aws.scloud" },
    Partition {
        prefix: "eu-isoe-",
        domain: "cloud.adc-e.uk",
        dual_stack: "api.cloud-aws.adc-e.uk",
    },
    Partition { prefix: "us-isof-", domain: "csp.hci.ic.gov", dual_stack: "api.aws.hci.ic.gov" },
    Partition { prefix: "eusc-", domain: "amazonaws.eu", dual_stack: "api.amazonwebservices.eu" },
];

const COMMERCIAL: Partition =
    Partition { prefix: "", domain: "amazonaws.com", dual_stack: "api.aws" };

/// Services whose usual GovCloud endpoints have validated cryptography, and no others (botocore's endpoint rules).
const FIPS_AS_USUAL_IN_GOVCLOUD: [&str; 6] =
    ["appconfigdata", "ec2", "logs", "monitoring", "ssm", "sts"];

/// A service's endpoint in a region: `https` and a host, without a path.
#[must_use]
pub fn endpoint(service: Service, region: &Region, variant: Variant) -> Uri {
    let host = host(service.host, region.as_str(), variant);
    let parts = Uri::builder().scheme("https").authority(host).path_and_query("/").build();
    parts.expect("a region is a label of a host name, and all else is ours")
}

fn host(service: &str, region: &str, variant: Variant) -> String {
    let partition = PARTITIONS.iter().find(|partition| region.starts_with(partition.prefix));
    let partition = partition.unwrap_or(&COMMERCIAL);
    let is_govcloud = partition.prefix == "us-gov-";
    let as_usual = is_govcloud
        && FIPS_AS_USUAL_IN_GOVCLOUD.contains(&service)
        && (!variant.dual_stack || service == "monitoring");
    let fips = if variant.fips && !as_usual { "-fips" } else { "" };
    match service {
        "s3" if variant.dual_stack => format!("s3{fips}.dualstack.{region}.{}", partition.domain),
        "s3" => format!("s3{fips}.{region}.{}", partition.domain),
        // Its usual endpoints have IPv6, too.
        "secretsmanager"
            if matches!(partition.prefix, "" | "us-gov-")
                || partition.prefix == "cn-" && !variant.fips =>
        {
            format!("{service}{fips}.{region}.{}", partition.domain)
        }
        _ if variant.dual_stack => format!("{service}{fips}.{region}.{}", partition.dual_stack),
        _ => format!("{service}{fips}.{region}.{}", partition.domain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Taken from botocore 1.43, by running its endpoint rules.
    const KNOWN: &[(&str, &str, [&str; 4])] = &[
        // Usual, FIPS, dual stack, both.
        (
            "xray",
            "us-east-1",
            [
                "xray.us-east-1.amazonaws.com",
                "xray-fips.us-east-1.amazonaws.com",
                "xray.us-east-1.api.aws",
                "xray-fips.us-east-1.api.aws",
            ],
        ),
        (
            "xray",
            "us-gov-west-1",
            [
                "xray.us-gov-west-1.amazonaws.com",
                "xray-fips.us-gov-west-1.amazonaws.com",
                "xray.us-gov-west-1.api.aws",
                "xray-fips.us-gov-west-1.api.aws",
            ],
        ),
        (
            "xray",
            "cn-north-1",
            [
                "xray.cn-north-1.amazonaws.com.cn",
                "xray-fips.cn-north-1.amazonaws.com.cn",
                "xray.cn-north-1.api.amazonwebservices.com.cn",
                "xray-fips.cn-north-1.api.amazonwebservices.com.cn",
            ],
        ),
        (
            "xray",
            "us-iso-east-1",
            [
                "xray.us-iso-east-1.c2s.ic.gov",
                "xray-fips.us-iso-east-1.c2s.ic.gov",
                "xray.us-iso-east-1.api.aws.ic.gov",
                "xray-fips.us-iso-east-1.api.aws.ic.gov",
            ],
        ),
        (
            "ssm",
            "us-isob-east-1",
            [
                "ssm.us-isob-east-1.sc2s.sgov.gov",
                "ssm-fips.us-isob-east-1.sc2s.sgov.gov",
                "ssm.us-isob-east-1.api.aws.scloud",
                "ssm-fips.us-isob-east-1.api.aws.scloud",
            ],
        ),
        (
            "ssm",
            "us-gov-east-1",
            [
                "ssm.us-gov-east-1.amazonaws.com",
                "ssm.us-gov-east-1.amazonaws.com",
                "ssm.us-gov-east-1.api.aws",
                "ssm-fips.us-gov-east-1.api.aws",
            ],
        ),
        (
            "sts",
            "eusc-de-east-1",
            [
                "sts.eusc-de-east-1.amazonaws.eu",
                "sts-fips.eusc-de-east-1.amazonaws.eu",
                "sts.eusc-de-east-1.api.amazonwebservices.eu",
                "sts-fips.eusc-de-east-1.api.amazonwebservices.eu",
            ],
        ),
        (
            "sts",
            "us-gov-west-1",
            [
                "sts.us-gov-west-1.amazonaws.com",
                "sts.us-gov-west-1.amazonaws.com",
                "sts.us-gov-west-1.api.aws",
                "sts-fips.us-gov-west-1.api.aws",
            ],
        ),
        (
            "monitoring",
            "us-gov-west-1",
            [
                "monitoring.us-gov-west-1.amazonaws.com",
                "monitoring.us-gov-west-1.amazonaws.com",
                "monitoring.us-gov-west-1.api.aws",
                "monitoring.us-gov-west-1.api.aws",
            ],
        ),
        (
            "secretsmanager",
            "eu-west-1",
            [
                "secretsmanager.eu-west-1.amazonaws.com",
                "secretsmanager-fips.eu-west-1.amazonaws.com",
                "secretsmanager.eu-west-1.amazonaws.com",
                "secretsmanager-fips.eu-west-1.amazonaws.com",
            ],
        ),
        (
            "secretsmanager",
            "cn-north-1",
            [
                "secretsmanager.cn-north-1.amazonaws.com.cn",
                "secretsmanager-fips.cn-north-1.amazonaws.com.cn",
                "secretsmanager.cn-north-1.amazonaws.com.cn",
                "secretsmanager-fips.cn-north-1.api.amazonwebservices.com.cn",
            ],
        ),
        (
            "secretsmanager",
            "us-isof-south-1",
            [
                "secretsmanager.us-isof-south-1.csp.hci.ic.gov",
                "secretsmanager-fips.us-isof-south-1.csp.hci.ic.gov",
                "secretsmanager.us-isof-south-1.api.aws.hci.ic.gov",
                "secretsmanager-fips.us-isof-south-1.api.aws.hci.ic.gov",
            ],
        ),
        (
            "s3",
            "us-gov-west-1",
            [
                "s3.us-gov-west-1.amazonaws.com",
                "s3-fips.us-gov-west-1.amazonaws.com",
                "s3.dualstack.us-gov-west-1.amazonaws.com",
                "s3-fips.dualstack.us-gov-west-1.amazonaws.com",
            ],
        ),
        (
            "ec2",
            "eu-isoe-west-1",
            [
                "ec2.eu-isoe-west-1.cloud.adc-e.uk",
                "ec2-fips.eu-isoe-west-1.cloud.adc-e.uk",
                "ec2.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
                "ec2-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
            ],
        ),
    ];

    #[test]
    fn hosts_are_those_that_botocore_finds() {
        for (service, region, expected) in KNOWN {
            let found = [(false, false), (true, false), (false, true), (true, true)]
                .map(|(fips, dual_stack)| host(service, region, Variant { fips, dual_stack }));
            assert_eq!(&found, expected, "{service} {region}");
        }
    }

    #[test]
    fn an_endpoint_is_https() {
        let region = Region::new("eu-west-1", "a test").unwrap();
        let uri = endpoint(Service::XRAY, &region, Variant::default());
        assert_eq!(uri.to_string(), "https://xray.eu-west-1.amazonaws.com/");
    }
}
