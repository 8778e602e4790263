//! What marks telemetry of a function on AWS Lambda: the tags by which Datadog's Serverless pages find it.
//!
//! Keys and values are those of DataDog/datadog-lambda-extension `bottlecap/src/tags/lambda/tags.rs` and
//! `bottlecap/src/lifecycle/invocation/processor.rs`. Everything that reaches this process in a function's environment is the function's, whether or not its
//! resource says so; what the resource says wins.

use std::env::consts::ARCH;

use lambda::Function;
use pdata::view::{AnyValue, Attributes, Span};

/// Where telemetry comes from, by the name of `_dd.origin`.
pub(crate) const ORIGIN: &str = "lambda";

/// The tags of a function.
#[derive(Clone, Debug, Default)]
pub(crate) struct FunctionTags {
    tags: Vec<(&'static str, String)>,
    arn: String,
    first: Option<lambda::FirstInvocation>,
    is_managed: bool,
}

impl FunctionTags {
    /// Those of a function, for telemetry of a resource.
    pub(crate) fn of(function: &Function, resource: &Attributes<'_>) -> Self {
        let text = |keys: &[&str]| {
            keys.iter().find_map(|key| match resource.get(key) {
                Some(AnyValue::Str(text)) if !text.is_empty() => Some(text.as_str().to_owned()),
                _ => None,
            })
        };
        let arn = function.arn().or_else(|| text(&["cloud.resource_id", "faas.id"]));
        let account = text(&["cloud.account.id"]).or_else(|| function.account_id().map(Into::into));
        let version = text(&["faas.version"]).or_else(|| function.version.clone());
        let numbered = version.filter(|version| version != "$LATEST");
        let called = match &numbered {
            Some(version) => format!("{}:{version}", function.name),
            None => function.name.clone(),
        };
        let architecture = if ARCH == "aarch64" { "arm64" } else { ARCH };
        let environment = ["deployment.environment.name", "deployment.environment"];
        let tags = [
            ("region", text(&["cloud.region"]).or_else(|| function.region.clone())),
            ("account_id", account.clone()),
            ("aws_account", account),
            ("functionname", Some(function.name.clone())),
            ("resource", Some(called)),
            ("executedversion", numbered),
            ("function_arn", arn.as_ref().map(|arn| arn.to_lowercase())),
            ("memorysize", function.memory_mib.map(|mib| mib.to_string())),
            ("architecture", Some(architecture.to_owned())),
            ("init_type", function.initialization_type.clone()),
            ("env", text(&environment)),
            ("service", text(&["service.name"]).map(|name| name.to_lowercase())),
            ("version", text(&["service.version"])),
        ];
        Self {
            tags: tags.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
            arn: arn.unwrap_or_default(),
            first: function.first_invocation().cloned(),
            is_managed: function.is_managed(),
        }
    }

    /// Keys and values but those that every resource gives: for metrics and logs, whose `env`, `service` and `version` are there already.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let own =
            self.tags.iter().filter(|(key, _)| !matches!(*key, "env" | "service" | "version"));
        own.map(|(key, value)| (*key, value.as_str()))
    }

    /// All of them as `k:v,k:v`.
    pub(crate) fn joined(&self) -> String {
        let tags = self.tags.iter().map(|(key, value)| format!("{key}:{value}"));
        tags.collect::<Vec<_>>().join(",")
    }

    /// What every span gets.
    pub(crate) fn of_span(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("_dd.origin", ORIGIN), ("origin", ORIGIN)].into_iter().chain(self.iter())
    }

    /// Calls `text` with what the span of an invocation gets beside: its request, and whether it waited for the function's start. On Managed
    /// Instances no invocation does.
    pub(crate) fn of_invocation<'s>(
        &self,
        span: &Span<'s>,
        mut text: impl FnMut(&'static str, &str),
    ) {
        let of = |key: &str| match span.attribute(key) {
            Some(AnyValue::Str(id)) => id.as_str(),
            _ => "",
        };
        let request_id = match of("faas.invocation_id") {
            "" => of("faas.execution"),
            id => id,
        };
        text("request_id", request_id);
        if self.is_managed {
            return;
        }
        let own = match span.attribute("faas.coldstart") {
            Some(AnyValue::Bool(is_cold_start)) => Some(is_cold_start),
            _ => None,
        };
        let is_first = self.first.as_ref().filter(|first| first.request_id == request_id);
        let is_known = own.is_some() || self.first.is_some() && !request_id.is_empty();
        let is_cold_start = own.unwrap_or(is_first.is_some_and(|first| first.is_cold_start));
        if is_known {
            text("cold_start", if is_cold_start { "true" } else { "false" });
        }
        if is_first.is_some_and(|first| !first.is_cold_start) {
            text("proactive_initialization", "true");
        }
    }

    /// The function's ARN; empty where it is not known.
    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }
}

#[cfg(test)]
mod tests;
