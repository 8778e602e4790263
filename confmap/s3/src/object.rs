//! How an object is named.
//!
//! Upstream's forms, as its README has them: the bucket in the name of AWS's host, or any other host with the bucket in the path. Ours
//! besides: `s3://bucket/key`, as AWS's own tools write it.

use confmap::{ProviderError, Reference};
use confmap_aws::{Options, SpecError};
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const INSECURE: &str = "insecure";

/// AWS's domains, by partition (botocore `data/partitions.json`).
const DOMAINS: [&str; 7] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// What stands for itself in a path. S3 wants all else escaped, once.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// An object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    host: Host,
    bucket: String,
    key: String,
}

/// Where the bucket is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Host {
    /// At this host of AWS, without the bucket.
    Aws(String),
    /// At this host, with or without TLS.
    Other { authority: String, insecure: bool },
    /// At the usual endpoint of the region.
    Usual,
}

/// Takes a reference apart.
pub(crate) fn parse(reference: &Reference) -> Result<(Object, Options), ProviderError> {
    let own = [INSECURE];
    read(reference.opaque(), &own).map_err(|error| error.at(reference, &own))
}

fn read(text: &str, own: &[&str]) -> Result<(Object, Options), SpecError> {
    const FORM: SpecError = SpecError::Name(
        "is not valid s3-url: write s3://BUCKET.s3.REGION.amazonaws.com/KEY, s3://HOST/BUCKET/KEY?region=REGION, or s3://BUCKET/KEY",
    );
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let mut options = Options::parse(query, own)?;
    let insecure = match options.own.first().and_then(Option::as_deref) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(SpecError::Name("has insecure that is neither true nor false")),
    };
    let (authority, path) =
        path.strip_prefix("//").and_then(|text| text.split_once('/')).ok_or(FORM)?;
    let path = percent_decode_str(path).decode_utf8().map_err(|_invalid| FORM)?;
    let object = if let Some((bucket, host, region)) = aws_host(authority) {
        match &options.place.region {
            Some(named) if named != region => return Err(SpecError::Regions),
            _ => options.place.region = Some(region.to_owned()),
        }
        Object {
            host: Host::Aws(host.to_owned()),
            bucket: bucket.to_owned(),
            key: path.into_owned(),
        }
    } else if is_bucket(authority) && !authority.contains('.') && query.is_empty() {
        Object { host: Host::Usual, bucket: authority.to_owned(), key: path.into_owned() }
    } else {
        let (bucket, key) = path.split_once('/').ok_or(FORM)?;
        let host = Host::Other { authority: authority.to_owned(), insecure };
        Object { host, bucket: bucket.to_owned(), key: key.to_owned() }
    };
    let is_sound = is_bucket(&object.bucket) && !object.key.is_empty() && !authority.contains('@');
    if is_sound { Ok((object, options)) } else { Err(FORM) }
}

impl Object {
    /// Where it is read from, given the endpoint that the environment names, if it does, and the usual one.
    pub(crate) fn uri(&self, configured: Option<&Uri>, usual: &Uri) -> Option<Uri> {
        let Self { host, bucket, key } = self;
        let key = utf8_percent_encode(key, ESCAPED);
        // A bucket with dots does not fit the certificate of AWS's hosts.
        let at_aws = |host: &str| match bucket.contains('.') {
            false => format!("https://{bucket}.{host}/{key}"),
            true => format!("https://{host}/{bucket}/{key}"),
        };
        let text = match (host, configured) {
            (Host::Other { authority, insecure }, _) => {
                let scheme = if *insecure { "http" } else { "https" };
                format!("{scheme}://{authority}/{bucket}/{key}")
            }
            (_, Some(endpoint)) => {
                let endpoint = endpoint.to_string();
                format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/'))
            }
            (Host::Aws(host), None) => at_aws(host),
            (Host::Usual, None) => at_aws(usual.host()?),
        };
        text.parse().ok()
    }
}

/// Bucket, host and region in `BUCKET.s3.REGION.amazonaws.com` and its variants.
fn aws_host(authority: &str) -> Option<(&str, &str, &str)> {
    let without_dot = |rest: &'_ str| rest.len().checked_sub(1).filter(|_| rest.ends_with('.'));
    let rest = DOMAINS.iter().find_map(|domain| {
        let rest = authority.strip_suffix(domain)?;
        rest.get(..without_dot(rest)?)
    })?;
    let (rest, region) = rest.rsplit_once('.')?;
    let rest = rest.strip_suffix(".dualstack").unwrap_or(rest);
    let bucket = rest.strip_suffix(".s3").or_else(|| rest.strip_suffix(".s3-fips"))?;
    let is_region = !region.is_empty()
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let host = authority.get(bucket.len() + 1..)?;
    (is_bucket(bucket) && is_region).then_some((bucket, host, region))
}

/// The characters and length of a bucket's name.
fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(Object, Options), String> {
        parse(&Reference::parse(text).unwrap()).map_err(|error| error.to_string())
    }

    fn uri(text: &str, configured: Option<&'static str>) -> String {
        let (object, _) = parsed(text).ok().unwrap();
        let usual = Uri::from_static("https://s3.eu-west-1.amazonaws.com/");
        object.uri(configured.map(Uri::from_static).as_ref(), &usual).unwrap().to_string()
    }

    #[test]
    fn an_object_is_found_where_its_url_says() {
        for (text, expected, region) in [
            (
                "s3://bucket.s3.us-west-2.amazonaws.com/a/b.yaml",
                "https://bucket.s3.us-west-2.amazonaws.com/a/b.yaml",
                Some("us-west-2"),
            ),
            // As upstream's test has it, and over TLS.
            (
                "s3://bucket.name-here.s3.us-west-2.amazonaws.com/key",
                "https://s3.us-west-2.amazonaws.com/bucket.name-here/key",
                Some("us-west-2"),
            ),
            (
                "s3://bucket.s3-fips.dualstack.us-gov-west-1.amazonaws.com/k",
                "https://bucket.s3-fips.dualstack.us-gov-west-1.amazonaws.com/k",
                Some("us-gov-west-1"),
            ),
            (
                "s3://bucket.s3.cn-north-1.amazonaws.com.cn/k%20%2B",
                "https://bucket.s3.cn-north-1.amazonaws.com.cn/k%20%2B",
                Some("cn-north-1"),
            ),
            (
                "s3://minio:9000/bucket/a/b?region=local&insecure=true",
                "http://minio:9000/bucket/a/b",
                Some("local"),
            ),
            ("s3://minio.internal/bucket/k", "https://minio.internal/bucket/k", None),
            ("s3://bucket/a/b.yaml", "https://bucket.s3.eu-west-1.amazonaws.com/a/b.yaml", None),
        ] {
            assert_eq!(uri(text, None), expected);
            let found = parsed(text).ok().unwrap().1.place.region;
            assert_eq!(found.as_deref(), region, "{text}");
        }
    }

    #[test]
    fn an_endpoint_of_the_environment_is_asked_unless_the_url_names_a_host() {
        let configured = Some("http://127.0.0.1:1/");
        let aws = "s3://bucket.s3.us-west-2.amazonaws.com/k";
        assert_eq!(uri(aws, configured), "http://127.0.0.1:1/bucket/k");
        assert_eq!(uri("s3://bucket/k", configured), "http://127.0.0.1:1/bucket/k");
        assert_eq!(uri("s3://minio:9000/bucket/k", configured), "https://minio:9000/bucket/k");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "s3:bucket/key",
            "s3://bucket",
            "s3://bucket.s3.us-west-2.amazonaws.com/",
            "s3://b.s3.us-west-2.amazonaws.com/key",
            "s3://s3.us-west-2.amazonaws.com/key",
            "s3://bucket.s3..amazonaws.com/key",
            "s3://bucket.s3.us-west-2.amazonaws.com/key%ff",
        ] {
            let error = parsed(text).map(|_| ()).unwrap_err();
            assert!(error.contains("is not valid s3-url"), "{text}: {error}");
        }
        let user = parsed("s3://user:canary@minio.internal/bucket/key").map(|_| ()).unwrap_err();
        assert!(user.starts_with("s3://[REDACTED]@minio.internal/"), "{user}");
        let other = parsed("s3://bucket.s3.us-west-2.amazonaws.com/key?region=eu-west-1");
        assert!(other.map(|_| ()).unwrap_err().contains("another"));
        let insecure = parsed("s3://minio:9000/bucket/k?insecure=yes").map(|_| ()).unwrap_err();
        assert!(insecure.contains("neither true nor false"), "{insecure}");
    }
}
