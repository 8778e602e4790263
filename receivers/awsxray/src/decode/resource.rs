//! The resource of a document's spans, and the request that holds them.

use pdata::wire;

use super::attributes::Attributes;
use super::cause::{self, Messages};
use super::members::{Members, Rest};
use super::segment::Segment;
use super::{place, span};

// Field numbers of OTLP's `trace.proto`.
const REQUEST_RESOURCE_SPANS: u32 = 1;
const RESOURCE_SPANS_RESOURCE: u32 = 1;
const RESOURCE_SPANS_SCOPE_SPANS: u32 = 2;
const RESOURCE_ATTRIBUTES: u32 = 1;

/// An export request with the spans of a document.
pub(super) fn request(mut segment: Segment<'_>) -> Vec<u8> {
    let mut messages = Messages::new();
    cause::messages(&segment, &mut messages);
    let mut rest = Rest::default();
    let mut aws = segment.members.object("aws");
    let resource = attributes(&mut segment, aws.as_mut(), &mut rest);
    let mut out = Vec::new();
    wire::put_message(&mut out, REQUEST_RESOURCE_SPANS, |out| {
        wire::put_len(out, RESOURCE_SPANS_RESOURCE, resource.encoded());
        wire::put_message(out, RESOURCE_SPANS_SCOPE_SPANS, |out| {
            span::put_all(out, segment, aws, rest, &messages);
        });
    });
    out
}

/// The resource's attributes: what the segment at the top says of where it ran.
fn attributes(
    segment: &mut Segment<'_>,
    aws: Option<&mut Members<'_>>,
    rest: &mut Rest,
) -> Attributes {
    let mut attributes = Attributes::new(RESOURCE_ATTRIBUTES);
    attributes.text("service.name", Some(segment.name.clone()));
    let origin = segment.members.text("origin");
    if aws.is_some() || origin.is_some() {
        attributes.text("cloud.provider", Some("aws".to_owned()));
    } else if !segment.has("aws") {
        // So that an exporter does not take it for one of AWS.
        attributes.text("cloud.provider", Some("unknown".to_owned()));
    }
    let (by_origin, launch_type) = origin.as_deref().map(platform).unwrap_or_default();
    if let Some(mut service) = segment.members.object("service") {
        attributes.text("service.version", service.text("version"));
        rest.within("service").put_all(service);
    }
    let by_block = aws.and_then(|aws| place::put(aws, by_origin, &mut attributes, rest));
    attributes.text("cloud.platform", by_origin.or(by_block).map(str::to_owned));
    attributes.text("aws.ecs.launchtype", launch_type.map(str::to_owned));
    attributes.text("aws.xray.origin", origin);
    attributes.text("aws.xray.resource_arn", segment.members.text("resource_arn"));
    attributes
}

/// The platform, and ECS's kind of it, that an origin stands for.
fn platform(origin: &str) -> (Option<&'static str>, Option<&'static str>) {
    match origin {
        "AWS::EC2::Instance" => (Some("aws_ec2"), None),
        "AWS::ECS::Container" => (Some("aws_ecs"), None),
        "AWS::ECS::Fargate" => (Some("aws_ecs"), Some("fargate")),
        "AWS::ECS::EC2" => (Some("aws_ecs"), Some("ec2")),
        "AWS::EKS::Container" => (Some("aws_eks"), None),
        "AWS::ElasticBeanstalk::Environment" => (Some("aws_elastic_beanstalk"), None),
        "AWS::AppRunner::Service" => (Some("aws_app_runner"), None),
        "AWS::Lambda" | "AWS::Lambda::Function" => (Some("aws_lambda"), None),
        _ => (None, None),
    }
}
