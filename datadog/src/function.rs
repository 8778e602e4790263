//! Spans that stand for invocations of a function on AWS Lambda.
//!
//! Datadog's Serverless page finds an invocation by the operation `aws.lambda`; the Lambda extension of Datadog's own calls the span of Python's
//! instrumentation so (DataDog/datadog-lambda-extension `bottlecap/src/otlp/transform.rs`), and a cold start `aws.lambda.cold_start`
//! (`bottlecap/src/lifecycle/invocation/processor.rs`). Here the instrumentations of all languages count.

use pdata::view::{AnyValue, Scope, Span, SpanKind};

/// The type that Datadog's own tracers give such spans.
pub const SPAN_TYPE: &str = "serverless";

/// The operation of an invocation.
pub const INVOCATION: &str = "aws.lambda";

/// Scopes of instrumentations that make one span for each invocation.
const SCOPES: [&str; 6] = [
    "opentelemetry.instrumentation.aws_lambda",
    "opentelemetry_instrumentation_aws_lambda",
    "@opentelemetry/instrumentation-aws-lambda",
    "OpenTelemetry.Instrumentation.AWSLambda",
    "OpenTelemetry::Instrumentation::AwsLambda",
    "go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-lambda-go/otellambda",
];
/// Java's have a version in their names.
const JAVA: &str = "io.opentelemetry.aws-lambda-";
/// The scope of the `telemetryapi` receiver.
const PLATFORM: &str =
    "github.com/open-telemetry/opentelemetry-lambda/collector/receiver/telemetryapi";

/// The operation of a span that stands for an invocation or a cold start; nothing for others. The platform's own view of an invocation
/// has another name than the function's, so that nobody counts the two as one more.
pub fn operation(span: &Span<'_>, scope: &Scope<'_>) -> Option<&'static str> {
    let scope = scope.name.as_str();
    let is_platforms = scope == PLATFORM;
    if !is_platforms && !SCOPES.contains(&scope) && !scope.starts_with(JAVA) {
        return None;
    }
    // The `coldstart` processor puts a cold start into the scope of the invocation that waited for it.
    let is_cold_start = || matches!(span.attribute("faas.coldstart"), Some(AnyValue::Bool(true)));
    match span.kind {
        SpanKind::Internal if is_cold_start() => Some("aws.lambda.cold_start"),
        SpanKind::Server if is_platforms => Some("aws.lambda.invocation"),
        SpanKind::Server | SpanKind::Consumer if !is_platforms => Some(INVOCATION),
        _ => None,
    }
}
