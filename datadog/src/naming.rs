//! Operation name, resource, service and type of a span: DataDog/datadog-agent `pkg/trace/transform/otelutil.go`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pdata::view::{Scope, Span, SpanKind};

use crate::attributes::Lookup;
use crate::function;
use crate::keys::Key;
use crate::normalize::{self, RESOURCE_LEN_MAX, TYPE_LEN_MAX, tag_value};
use crate::types::type_of_database;

/// The service of resources without a name.
pub const NO_SERVICE_NAME: &str = "otlpresourcenoservicename";

/// Which rules give operations and resources their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// The current ones, by semantic conventions.
    #[default]
    Conventions,
    /// The older ones, that the keys `span_name_as_resource_name` and `span_name_remappings` ask for.
    SpanNames {
        /// Whether the span's name is the operation's.
        as_operation: bool,
        /// Other names for operations, by the name that they would have.
        remappings: BTreeMap<String, String>,
    },
}

impl Naming {
    /// The rules that the settings ask for.
    pub fn of(
        span_name_as_resource_name: bool,
        span_name_remappings: BTreeMap<String, String>,
    ) -> Self {
        if span_name_as_resource_name || !span_name_remappings.is_empty() {
            let (as_operation, remappings) = (span_name_as_resource_name, span_name_remappings);
            Naming::SpanNames { as_operation, remappings }
        } else {
            Naming::Conventions
        }
    }

    /// The operation's name, normalised.
    pub fn operation<'a>(
        &self,
        span: &Span<'a>,
        scope: &Scope<'a>,
        lookup: &Lookup<'_, 'a>,
    ) -> Cow<'a, str> {
        match self {
            Naming::Conventions => match operation_by_conventions(span, scope, lookup) {
                Cow::Borrowed(name) => normalize::name(name),
                Cow::Owned(name) => match normalize::name(&name) {
                    Cow::Borrowed(normal) if normal.len() == name.len() => Cow::Owned(name),
                    normal => Cow::Owned(normal.into_owned()),
                },
            },
            Naming::SpanNames { as_operation, remappings } => {
                let name = older_operation(span, scope, lookup, *as_operation);
                let name = remappings.get(&*name).map_or(&*name, String::as_str);
                Cow::Owned(normalize::name(name).into_owned())
            }
        }
    }

    /// The resource, cut at 5000 bytes. May be empty.
    pub fn resource<'a>(&self, span: &Span<'a>, lookup: &Lookup<'_, 'a>) -> Cow<'a, str> {
        let resource = match self {
            Naming::Conventions => resource_by_conventions(span, lookup),
            Naming::SpanNames { .. } => older_resource(span, lookup),
        };
        match resource {
            Cow::Borrowed(text) => Cow::Borrowed(normalize::truncate(text, RESOURCE_LEN_MAX)),
            Cow::Owned(mut text) => {
                text.truncate(text.floor_char_boundary(RESOURCE_LEN_MAX));
                Cow::Owned(text)
            }
        }
    }
}

/// The service, normalised; never empty.
pub fn service<'a>(lookup: &Lookup<'_, 'a>) -> Cow<'a, str> {
    match lookup.text(&[Key::ServiceName]) {
        "" => Cow::Borrowed(NO_SERVICE_NAME),
        name => normalize::service(name),
    }
}

/// The span's type.
pub fn span_type<'a>(span: &Span<'a>, scope: &Scope<'a>, lookup: &Lookup<'_, 'a>) -> &'a str {
    match lookup.text(&[Key::SpanType]) {
        "" if function::operation(span, scope).is_some() => function::SPAN_TYPE,
        "" => match span.kind {
            SpanKind::Server => "web",
            SpanKind::Client => match lookup.text(DB_SYSTEM) {
                "" => "http",
                system => type_of_database(&tag_value(system)),
            },
            _ => "custom",
        },
        own => normalize::truncate(own, TYPE_LEN_MAX),
    }
}

const DB_SYSTEM: &[Key] = &[Key::DbSystemName, Key::DbSystem];
const HTTP_METHOD: &[Key] = &[Key::HttpRequestMethod, Key::HttpMethod];
/// The agent knows the first only; the second is its successor in the semantic conventions.
const MESSAGING_OPERATION: &[Key] = &[Key::MessagingOperation, Key::MessagingOperationType];
const MESSAGING_DESTINATION: &[Key] = &[Key::MessagingDestination, Key::MessagingDestinationName];
const DB_STATEMENT: &[Key] = &[Key::DbStatement, Key::DbQueryText];
/// The agent knows the first only; the second is its successor in the semantic conventions.
const RPC_SYSTEM: &[Key] = &[Key::RpcSystem, Key::RpcSystemName];

fn operation_by_conventions<'a>(
    span: &Span<'a>,
    scope: &Scope<'a>,
    lookup: &Lookup<'_, 'a>,
) -> Cow<'a, str> {
    let normal = |keys: &[Key]| tag_value(lookup.text(keys));
    let own = normal(&[Key::OperationName]);
    if !own.is_empty() {
        return own;
    }
    if let Some(operation) = function::operation(span, scope) {
        return Cow::Borrowed(operation);
    }
    let (is_server, is_client) = (span.kind == SpanKind::Server, span.kind == SpanKind::Client);
    if (is_server || is_client) && !lookup.text(HTTP_METHOD).is_empty() {
        return Cow::Borrowed(if is_server {
            "http.server.request"
        } else {
            "http.client.request"
        });
    }
    if is_client {
        let system = normal(DB_SYSTEM);
        if !system.is_empty() {
            return joined(&[&system, ".query"]);
        }
    }
    let is_remote = !matches!(span.kind, SpanKind::Internal | SpanKind::Unspecified);
    if is_remote {
        let (system, operation) = (normal(&[Key::MessagingSystem]), normal(MESSAGING_OPERATION));
        if !system.is_empty() && !operation.is_empty() {
            return joined(&[&system, ".", &operation]);
        }
    }
    if is_server || is_client {
        let system = normal(RPC_SYSTEM);
        match (&*system, is_client) {
            ("", _) => {}
            ("aws-api", true) => {
                return match &*normal(&[Key::RpcService]) {
                    "" => Cow::Borrowed("aws.client.request"),
                    service => joined(&["aws.", service, ".request"]),
                };
            }
            (system, true) => return joined(&[system, ".client.request"]),
            (system, false) => return joined(&[system, ".server.request"]),
        }
    }
    if is_client {
        let (provider, name) =
            (normal(&[Key::FaasInvokedProvider]), normal(&[Key::FaasInvokedName]));
        if !provider.is_empty() && !name.is_empty() {
            return joined(&[&provider, ".", &name, ".invoke"]);
        }
    }
    if is_server {
        let trigger = normal(&[Key::FaasTrigger]);
        if !trigger.is_empty() {
            return joined(&[&trigger, ".invoke"]);
        }
    }
    if !normal(&[Key::GraphqlOperationType]).is_empty() {
        return Cow::Borrowed("graphql.server.request");
    }
    if is_server || is_client {
        let rest = if is_server { "server.request" } else { "client.request" };
        return match &*normal(&[Key::NetworkProtocolName]) {
            "" => Cow::Borrowed(rest),
            protocol => joined(&[protocol, ".", rest]),
        };
    }
    Cow::Borrowed(match span.kind {
        SpanKind::Producer => "Producer",
        SpanKind::Consumer => "Consumer",
        _ => "Internal",
    })
}

fn resource_by_conventions<'a>(span: &Span<'a>, lookup: &Lookup<'_, 'a>) -> Cow<'a, str> {
    let own = lookup.text(&[Key::ResourceName]);
    if !own.is_empty() {
        return Cow::Borrowed(own);
    }
    let method = lookup.text(HTTP_METHOD);
    if !method.is_empty() {
        let method = if method == "_OTHER" { "HTTP" } else { method };
        return match span.kind {
            SpanKind::Server => two_words(method, lookup.text(&[Key::HttpRoute])),
            SpanKind::Client => two_words(method, lookup.text(&[Key::UrlTemplate])),
            _ => Cow::Borrowed(method),
        };
    }
    for (first, second) in [
        (MESSAGING_OPERATION, MESSAGING_DESTINATION),
        (&[Key::RpcMethod], &[Key::RpcService] as &[Key]),
        (&[Key::GraphqlOperationType], &[Key::GraphqlOperationName]),
    ] {
        let first = lookup.text(first);
        if !first.is_empty() {
            return two_words(first, lookup.text(second));
        }
    }
    if !lookup.text(DB_SYSTEM).is_empty() {
        let statement = lookup.text(DB_STATEMENT);
        if !statement.is_empty() {
            return Cow::Borrowed(statement);
        }
    }
    Cow::Borrowed(span.name.as_str())
}

fn older_operation<'a>(
    span: &Span<'a>,
    scope: &Scope<'a>,
    lookup: &Lookup<'_, 'a>,
    as_operation: bool,
) -> Cow<'a, str> {
    let own = resource_first(lookup, &[Key::OperationName]);
    if !own.is_empty() {
        return own;
    }
    if as_operation {
        return Cow::Borrowed(span.name.as_str());
    }
    let kind = kind_name(span.kind);
    match scope.name.as_str() {
        "" => joined(&["opentelemetry.", kind]),
        scope => joined(&[scope, ".", kind]),
    }
}

fn older_resource<'a>(span: &Span<'a>, lookup: &Lookup<'_, 'a>) -> Cow<'a, str> {
    let own = resource_first(lookup, &[Key::ResourceName]);
    if !own.is_empty() {
        return own;
    }
    for (first, second) in [
        (HTTP_METHOD, &[Key::HttpRoute] as &[Key]),
        (&[Key::MessagingOperation], MESSAGING_DESTINATION),
        (&[Key::RpcMethod], &[Key::RpcService]),
        (&[Key::GraphqlOperationType], &[Key::GraphqlOperationName]),
    ] {
        let first = resource_first(lookup, first);
        if !first.is_empty() {
            return match resource_first(lookup, second) {
                second if second.is_empty() => first,
                second => joined(&[&first, " ", &second]),
            };
        }
    }
    Cow::Borrowed(span.name.as_str())
}

/// The older rules ask the resource before the span, and take the first key that is there at all.
fn resource_first<'a>(lookup: &Lookup<'_, 'a>, keys: &[Key]) -> Cow<'a, str> {
    for attributes in [lookup.resource, lookup.span] {
        if let Some(&key) = keys.iter().find(|&&key| attributes.get(key).is_some()) {
            let text = attributes.any_text(key);
            if !text.is_empty() {
                return text;
            }
        }
    }
    Cow::Borrowed("")
}

/// The kind as the tag `span.kind` has it.
pub fn kind_name(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "unspecified",
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

fn two_words<'a>(first: &'a str, second: &str) -> Cow<'a, str> {
    if second.is_empty() { Cow::Borrowed(first) } else { joined(&[first, " ", second]) }
}

fn joined<'a>(parts: &[&str]) -> Cow<'a, str> {
    Cow::Owned(parts.concat())
}

#[cfg(test)]
mod tests;
