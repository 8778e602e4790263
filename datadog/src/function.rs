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
    if scope == PLATFORM {
        return match (span.kind, span.attribute("faas.coldstart")) {
            (SpanKind::Internal, Some(AnyValue::Bool(true))) => Some("aws.lambda.cold_start"),
            (SpanKind::Server, _) => Some("aws.lambda.invocation"),
            _ => None,
        };
    }
    let is_called = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
    (is_called && (SCOPES.contains(&scope) || scope.starts_with(JAVA))).then_some(INVOCATION)
}
