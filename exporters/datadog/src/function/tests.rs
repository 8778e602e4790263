use std::time::{Duration, SystemTime};

use pdata::{Payload, Signal};

use super::*;

fn function(version: &str, initialization: &str) -> Function {
    let variables = [
        ("AWS_LAMBDA_FUNCTION_NAME", "Orders"),
        ("AWS_LAMBDA_FUNCTION_VERSION", version),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", initialization),
    ];
    let lookup = |wanted: &str| {
        variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
    };
    Function::of(lookup).unwrap().started_at(SystemTime::UNIX_EPOCH)
}

/// A payload of one span with these attributes, as OTLP/JSON.
fn payload(resource: &str, span: &str) -> Payload {
    let request = format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{resource}]}},"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"00000000000000aa","attributes":[{span}]}}]}}]}}]}}"#,
        1
    );
    Payload::from_json(Signal::Traces, request.as_bytes()).unwrap().payload
}

fn text(key: &str, value: &str) -> String {
    format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#)
}

fn tags(function: &Function, resource: &str) -> FunctionTags {
    let payload = payload(resource, "");
    let spans = payload.resource_spans().next().unwrap();
    FunctionTags::of(function, &spans.resource.attributes)
}

/// What the span of an invocation gets.
fn marks(function: &Function, span: &str) -> Vec<String> {
    let payload = payload("", span);
    let spans = payload.resource_spans().next().unwrap();
    let span = spans.scope_spans.into_iter().next().unwrap().spans.into_iter().next().unwrap();
    let mut marks = Vec::new();
    tags(function, "").of_invocation(&span, |key, value| marks.push(format!("{key}:{value}")));
    marks
}

#[test]
fn tags_are_those_of_the_function_before_and_after_the_platform_has_told_all() {
    let function = function("$LATEST", "on-demand");
    let resource = [text("service.name", "Shop"), text("deployment.environment.name", "prod")];
    let architecture = if ARCH == "aarch64" { "arm64" } else { ARCH };
    let before = tags(&function, &resource.join(",")).joined();
    assert_eq!(
        before,
        format!(
            "region:eu-west-1,functionname:Orders,resource:Orders,memorysize:512,architecture:{architecture},init_type:on-demand,env:prod,service:shop"
        )
    );
    function.set_arn("arn:aws:lambda:eu-west-1:123456789012:function:Orders:live");
    let after = tags(&function, "").joined();
    assert_eq!(
        after,
        format!(
            "region:eu-west-1,account_id:123456789012,aws_account:123456789012,functionname:Orders,resource:Orders,function_arn:arn:aws:lambda:eu-west-1:123456789012:function:orders,memorysize:512,architecture:{architecture},init_type:on-demand"
        )
    );
}

#[test]
fn numbered_version_is_part_of_the_resource() {
    let joined = tags(&function("7", "on-demand"), "").joined();
    assert!(joined.contains("resource:Orders:7,executedversion:7"), "{joined}");
}

#[test]
fn series_and_records_do_not_get_a_second_env_service_or_version() {
    let resource = [text("service.name", "shop"), text("service.version", "1")];
    let tags = tags(&function("7", "on-demand"), &resource.join(","));
    assert!(tags.joined().contains("service:shop,version:1"));
    assert!(tags.iter().all(|(key, _)| !matches!(key, "service" | "version" | "env")));
}

#[test]
fn first_invocation_is_marked_and_later_ones_are_not() {
    let function = function("$LATEST", "on-demand");
    let second = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    let request = |id| text("faas.invocation_id", id);
    assert_eq!(marks(&function, &request("1")), ["request_id:1"], "nobody has told yet");
    function.invoked("1", second(1));
    assert_eq!(marks(&function, &request("1")), ["request_id:1", "cold_start:true"]);
    assert_eq!(marks(&function, &request("2")), ["request_id:2", "cold_start:false"]);
    let older = text("faas.execution", "1");
    assert_eq!(marks(&function, &older), ["request_id:1", "cold_start:true"]);
    let own =
        format!(r#"{},{{"key":"faas.coldstart","value":{{"boolValue":false}}}}"#, request("1"));
    assert_eq!(marks(&function, &own), ["request_id:1", "cold_start:false"]);
}

#[test]
fn environment_that_was_started_ahead_of_time_says_so() {
    let function = function("$LATEST", "on-demand");
    function.invoked("1", SystemTime::UNIX_EPOCH + Duration::from_secs(60));
    let expected = ["request_id:1", "cold_start:false", "proactive_initialization:true"];
    assert_eq!(marks(&function, &text("faas.invocation_id", "1")), expected);
}

#[test]
fn managed_instances_have_no_cold_starts() {
    let function = function("$LATEST", "lambda-managed-instances");
    function.invoked("1", SystemTime::UNIX_EPOCH);
    assert_eq!(marks(&function, &text("faas.invocation_id", "1")), ["request_id:1"]);
}
