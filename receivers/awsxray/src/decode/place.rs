//! What `aws` of a segment says of the place it ran at: account, machine, container, log groups and SDK.

use serde_json::value::RawValue;

use super::attributes::Attributes;
use super::members::{Members, Rest};

/// A block of `aws`: its name, the platform it stands for, and the attributes of its members.
struct Block {
    name: &'static str,
    platform: &'static str,
    keys: &'static [(&'static str, &'static str)],
    /// The attribute with which an exporter knows the block, whatever the platform.
    told_by: Option<&'static str>,
}

/// In the order of their weight: of several, the last is the platform.
const BLOCKS: [Block; 3] = [
    Block {
        name: "ec2",
        platform: "aws_ec2",
        keys: &[
            ("availability_zone", "cloud.availability_zone"),
            ("instance_id", "host.id"),
            ("instance_size", "host.type"),
            ("ami_id", "host.image.id"),
        ],
        told_by: Some("host.id"),
    },
    Block {
        name: "ecs",
        platform: "aws_ecs",
        keys: &[
            ("container", "container.name"),
            ("availability_zone", "cloud.availability_zone"),
            ("container_id", "container.id"),
            ("container_arn", "aws.ecs.container.arn"),
            ("cluster_arn", "aws.ecs.cluster.arn"),
            ("task_arn", "aws.ecs.task.arn"),
            ("task_family", "aws.ecs.task.family"),
            ("launch_type", "aws.ecs.launchtype"),
        ],
        told_by: None,
    },
    Block {
        name: "eks",
        platform: "aws_eks",
        keys: &[
            ("container_id", "container.id"),
            ("cluster_name", "k8s.cluster.name"),
            ("pod", "k8s.pod.name"),
        ],
        told_by: Some("k8s.cluster.name"),
    },
];

const BEANSTALK: &str = "elastic_beanstalk";
const BEANSTALK_PLATFORM: &str = "aws_elastic_beanstalk";

/// Adds the attributes of the place. `by_origin` is the platform that the segment's origin names; returned is the one that the blocks do.
pub(super) fn put(
    aws: &mut Members<'_>,
    by_origin: Option<&'static str>,
    attributes: &mut Attributes,
    rest: &mut Rest,
) -> Option<&'static str> {
    // The account is the call's, too.
    attributes.text("cloud.account.id", aws.clone().text("account_id"));
    let rest = rest.within("aws");
    put_log_groups(aws, attributes, rest);
    if let Some(mut xray) = aws.object("xray") {
        put_sdk(&mut xray, attributes);
        // False is what it is without being said.
        if xray.bool("auto_instrumentation") == Some(true) {
            rest.within("xray").put("auto_instrumentation", "true");
        }
        rest.within("xray").put_all(xray);
    }
    let found = BLOCKS.iter().rev().find(|block| aws.has(block.name));
    let found = found.map(|block| block.platform);
    let found = if aws.has(BEANSTALK) { Some(BEANSTALK_PLATFORM) } else { found };
    let platform = by_origin.or(found);
    for block in &BLOCKS {
        let whole = |value| Some((value, Members::of(value)?));
        let Some((value, members)) = aws.take(block.name, whole) else { continue };
        put_block(block, value, members, platform, attributes, rest);
    }
    put_beanstalk(aws, platform, attributes, rest);
    found
}

fn put_block(
    block: &Block,
    value: &RawValue,
    mut members: Members<'_>,
    platform: Option<&str>,
    attributes: &mut Attributes,
    rest: &mut Rest,
) {
    let mut is_told = platform == Some(block.platform);
    let mut taken = Vec::new();
    for (member, key) in block.keys {
        let Some(text) = members.text(member) else { continue };
        is_told |= block.told_by == Some(key) && !text.is_empty();
        if !attributes.text(key, Some(text.clone())) {
            // Another block has the attribute.
            taken.push((member, text));
        }
    }
    if !is_told {
        return rest.put(block.name, value.get());
    }
    let rest = rest.within(block.name);
    for (member, text) in taken {
        rest.put_text(member, &text);
    }
    rest.put_all(members);
}

/// Adds Elastic Beanstalk's, whose number of the deployment tells an exporter of it.
fn put_beanstalk(
    aws: &mut Members<'_>,
    platform: Option<&str>,
    attributes: &mut Attributes,
    rest: &mut Rest,
) {
    let whole = |value| Some((value, Members::of(value)?));
    let Some((value, mut members)): Option<(&RawValue, Members<'_>)> = aws.take(BEANSTALK, whole)
    else {
        return;
    };
    attributes.text("service.namespace", members.text("environment_name"));
    let id = members.int("deployment_id").map(|id| id.to_string());
    let is_told = platform == Some(BEANSTALK_PLATFORM) && id.is_some();
    attributes.text("service.instance.id", id);
    let label = members.text("version_label");
    let is_version = attributes.text("service.version", label.clone());
    if !is_told {
        return rest.put(BEANSTALK, value.get());
    }
    if let Some(label) = label.filter(|_| !is_version) {
        rest.within(BEANSTALK).put_text("version_label", &label);
    }
    rest.within(BEANSTALK).put_all(members);
}

/// Adds the log groups. An exporter makes the names of the ARNs, and takes all ARNs or all names.
fn put_log_groups(aws: &mut Members<'_>, attributes: &mut Attributes, rest: &mut Rest) {
    let whole = |value| Some((value, serde_json::from_str(RawValue::get(value)).ok()?));
    let taken: Option<(&RawValue, Vec<Members<'_>>)> = aws.take("cloudwatch_logs", whole);
    let Some((value, groups)) = taken else { return };
    let (mut arns, mut names, mut fits) = (Vec::new(), Vec::new(), true);
    let count = groups.len();
    for mut group in groups {
        let (arn, name) = (group.text("arn"), group.text("log_group"));
        let of_arn = arn.as_deref().map(|arn| arn.split(':').nth(6).unwrap_or_default());
        fits &= group.is_empty() && (of_arn.is_none() || of_arn == name.as_deref());
        arns.extend(arn);
        names.extend(name);
    }
    fits &= names.len() == count && (arns.is_empty() || arns.len() == count);
    if !fits {
        rest.put("cloudwatch_logs", value.get());
    }
    attributes.texts("aws.log.group.arns", arns);
    attributes.texts("aws.log.group.names", names);
}

/// Adds the SDK, and the language of the program.
fn put_sdk(xray: &mut Members<'_>, attributes: &mut Attributes) {
    attributes.text("telemetry.sdk.version", xray.text("sdk_version"));
    if let Some(sdk) = xray.text("sdk") {
        let language = sdk.split_once("for ").map(|(_, language)| language_of(language));
        attributes.text("telemetry.sdk.language", language);
        attributes.text("telemetry.sdk.name", Some(sdk));
    }
}

/// The conventions' name of a language that an SDK names, as in `X-Ray for Node.js`.
fn language_of(language: &str) -> String {
    let lower = language.to_ascii_lowercase();
    match lower.as_str() {
        "node.js" | "node" | "javascript" => "nodejs".to_owned(),
        ".net" | ".net core" | ".net framework" | "c#" => "dotnet".to_owned(),
        _ => lower,
    }
}
