//! An EC2 instance, by its metadata, and its tags.

use aws::metadata::Instance;
use aws::query::Call;
use aws::{Environment, Service, Session, Settings};
use serde_json::Value;

use super::Failure;
use crate::config::Ec2;
use crate::detected::{Collector, Detected};

/// The attributes, and whether each is on unless it is turned off.
pub(crate) const ATTRIBUTES: &[(&str, bool)] = &[
    ("cloud.account.id", true),
    ("cloud.availability_zone", true),
    ("cloud.platform", true),
    ("cloud.provider", true),
    ("cloud.region", true),
    ("host.id", true),
    ("host.image.id", true),
    ("host.name", true),
    ("host.type", true),
];

/// What stands before the name of a tag.
const TAG: &str = "ec2.tag.";
/// An instance has at most fifty.
const TAGS_MAX: usize = 100;

/// What the metadata says; nothing when this is no instance, unless it has to be one.
pub(crate) async fn detect(config: &Ec2, environment: &Environment) -> Result<Detected, Failure> {
    let failed = |cause: aws::Cause| {
        Failure::ForNow(format!("the instance's metadata can't be had: {cause}"))
    };
    let instance = match Instance::connect_with(environment, config.max_attempts).await {
        Ok(instance) => instance,
        Err(cause) if config.fail_on_missing_metadata => return Err(failed(cause)),
        Err(_elsewhere) => return Ok(Detected::default()),
    };
    let document = instance.get("/dynamic/instance-identity/document").await.map_err(failed)?;
    let document: Value = serde_json::from_str(&document.unwrap_or_default()).map_err(|_| {
        Failure::ForNow("the instance's metadata has no identity document".to_owned())
    })?;
    let text = |key| document.get(key).and_then(Value::as_str);
    let mut found = Collector::new(&config.wanted);
    found.text("cloud.provider", Some("aws"));
    found.text("cloud.platform", Some("aws_ec2"));
    found.text("cloud.region", text("region"));
    found.text("cloud.account.id", text("accountId"));
    found.text("cloud.availability_zone", text("availabilityZone"));
    found.text("host.id", text("instanceId"));
    found.text("host.image.id", text("imageId"));
    found.text("host.type", text("instanceType"));
    if config.wanted.any(&["host.name"]) {
        found.text("host.name", instance.get("/meta-data/hostname").await.map_err(failed)?);
    }
    if !config.tags.is_empty() {
        let tags = match config.tags_from_imds {
            true => tags_of_metadata(config, &instance).await.map_err(|cause| cause.to_string()),
            false => tags_of_api(config, environment, text("region"), text("instanceId"))
                .await
                .map_err(|error| error.to_string()),
        };
        match tags {
            Ok(tags) => {
                tags.iter().for_each(|(key, value)| found.own(format!("{TAG}{key}"), value))
            }
            // As upstream: what else is known is not held back for them.
            Err(error) => tracing::warn!(error, "The instance's tags could not be had."),
        }
    }
    Ok(found.finish())
}

/// The tags that the metadata shows, which has to be turned on for an instance.
async fn tags_of_metadata(
    config: &Ec2,
    instance: &Instance,
) -> Result<Vec<(String, String)>, aws::Cause> {
    const TAGS: &str = "/meta-data/tags/instance";
    let keys = instance.get(TAGS).await?;
    let keys = keys.ok_or(aws::Cause::Answer("has no tags; allow tags in instance metadata"))?;
    let mut tags = Vec::new();
    for key in keys.lines().map(str::trim).filter(|key| is_wanted(config, key)).take(TAGS_MAX) {
        if let Some(value) = instance.get(&format!("{TAGS}/{}", escaped(key))).await? {
            tags.push((key.to_owned(), value));
        }
    }
    Ok(tags)
}

/// The tags that the EC2 API knows, which takes the permission `ec2:DescribeTags`.
async fn tags_of_api(
    config: &Ec2,
    environment: &Environment,
    region: Option<&str>,
    instance: Option<&str>,
) -> Result<Vec<(String, String)>, aws::Error> {
    let settings = Settings { region: region.map(str::to_owned), ..Settings::default() };
    let session = Session::new(settings, environment.clone());
    let call = Call {
        service: Service::EC2,
        version: "2016-11-15",
        action: "DescribeTags",
        parameters: vec![
            ("Filter.1.Name", "resource-id".to_owned()),
            ("Filter.1.Value.1", instance.unwrap_or_default().to_owned()),
        ],
    };
    let answer = session.query(&call).await?;
    let items = answer.find(&["tagSet"]).into_iter().flat_map(|set| set.all("item"));
    let tags = items.filter_map(|item| {
        let key = item.text_of(&["key"]).filter(|key| is_wanted(config, key))?;
        Some((key.to_owned(), item.text_of(&["value"]).unwrap_or_default().to_owned()))
    });
    Ok(tags.take(TAGS_MAX).collect())
}

fn is_wanted(config: &Ec2, key: &str) -> bool {
    !key.is_empty() && config.tags.iter().any(|tag| tag.is_match(key))
}

/// A tag's name in a path.
fn escaped(key: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(key, KEPT).to_string()
}
