//! What each of a span's tags is.

use std::collections::HashMap;

use super::span::ZipkinSpan;

/// What an exporter calls a service without a name (open-telemetry/opentelemetry-collector-contrib
/// `internal/coreinternal/tracetranslator`); in JSON it arrives in lower case.
pub(super) const NO_SERVICE_NAME: &[u8] = b"OTLPResourceNoServiceName";
/// Says which attribute the service name was taken from.
const SERVICE_NAME_SOURCE: &[u8] = b"otlp.service.name.source";
/// Marks a span without a timestamp.
pub(super) const NO_START: &[u8] = b"otel.zipkin.absentField.startTime";
/// Prefix of the tags that links became.
const LINK_PREFIX: &[u8] = b"otlp.link.";
/// Up to this many tags, repeated keys are found by comparing.
const COMPARED_TAGS_MAX: usize = 24;

/// Attributes of resources, sorted: those that upstream's receiver takes for such
/// (`pkg/translator/zipkin/zipkinv2/to_translator.go`).
const RESOURCE_KEYS: &[&str] = &[
    "aws.ecs.cluster.arn",
    "aws.ecs.container.arn",
    "aws.ecs.launchtype",
    "aws.ecs.task.arn",
    "aws.ecs.task.family",
    "aws.ecs.task.revision",
    "aws.eks.cluster.arn",
    "aws.log.group.arns",
    "aws.log.group.names",
    "aws.log.stream.arns",
    "aws.log.stream.names",
    "cloud.account.id",
    "cloud.availability_zone",
    "cloud.platform",
    "cloud.provider",
    "cloud.region",
    "cloud.resource_id",
    "container.id",
    "container.image.name",
    "container.image.tag",
    "container.name",
    "container.runtime",
    "deployment.environment",
    "device.id",
    "device.manufacturer",
    "device.model.identifier",
    "device.model.name",
    "faas.id",
    "faas.instance",
    "faas.max_memory",
    "faas.name",
    "faas.version",
    "host.arch",
    "host.id",
    "host.image.id",
    "host.image.name",
    "host.image.version",
    "host.name",
    "host.type",
    "k8s.cluster.name",
    "k8s.container.name",
    "k8s.container.restart_count",
    "k8s.cronjob.name",
    "k8s.cronjob.uid",
    "k8s.daemonset.name",
    "k8s.daemonset.uid",
    "k8s.deployment.name",
    "k8s.deployment.uid",
    "k8s.job.name",
    "k8s.job.uid",
    "k8s.namespace.name",
    "k8s.node.name",
    "k8s.node.uid",
    "k8s.pod.name",
    "k8s.pod.uid",
    "k8s.replicaset.name",
    "k8s.replicaset.uid",
    "k8s.statefulset.name",
    "k8s.statefulset.uid",
    "opencensus.exporterversion",
    "opencensus.resourcetype",
    "opencensus.starttime",
    "os.description",
    "os.name",
    "os.type",
    "os.version",
    "process.command",
    "process.command_args",
    "process.command_line",
    "process.executable.name",
    "process.executable.path",
    "process.owner",
    "process.pid",
    "process.runtime.description",
    "process.runtime.name",
    "process.runtime.version",
    "service.instance.id",
    "service.name",
    "service.namespace",
    "service.version",
    "telemetry.auto.version",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "webengine.description",
    "webengine.name",
    "webengine.version",
];

/// A tag's place in its span.
type Place = usize;

/// What a span's tags are, by place. Filled again and again, to keep its buffers.
#[derive(Debug, Default)]
pub(super) struct Roles {
    /// Where the resource's name goes, when that is not `service.name`.
    pub(super) service_name_source: Option<Place>,
    /// The service name in the case that it had before Zipkin's JSON lowered it.
    pub(super) service_name: Option<Place>,
    /// Other attributes of the resource.
    pub(super) resource: Vec<Place>,
    pub(super) scope_name: Option<Place>,
    pub(super) scope_version: Option<Place>,
    pub(super) trace_state: Option<Place>,
    pub(super) kind: Option<Place>,
    pub(super) status_code: Option<Place>,
    pub(super) status_description: Option<Place>,
    pub(super) error: Option<Place>,
    /// What may be links, by number.
    pub(super) links: Vec<(usize, Place)>,
    /// The span's own.
    pub(super) attributes: Vec<Place>,
}

/// The service's name, unless it has none.
pub(super) fn service_name<'s>(span: &'s ZipkinSpan<'_>) -> Option<&'s [u8]> {
    let name = span.local.service_name.as_ref();
    (!name.is_empty() && !name.eq_ignore_ascii_case(NO_SERVICE_NAME)).then_some(name)
}

impl Roles {
    /// Sorts a span's tags. Of those with the same key the last counts.
    pub(super) fn sort(&mut self, span: &ZipkinSpan<'_>) {
        *self = Self {
            resource: cleared(&mut self.resource),
            links: cleared(&mut self.links),
            attributes: cleared(&mut self.attributes),
            ..Self::default()
        };
        let repeated = repeated_earlier(span);
        let name = service_name(span);
        let source = span.tags.iter().rfind(|(key, _)| key.as_ref() == SERVICE_NAME_SOURCE);
        let source = source.map(|(_, value)| value.as_ref()).filter(|value| !value.is_empty());
        let name_key = source.unwrap_or(b"service.name");
        let (mut library_name, mut library_version) = (None, None);
        for (place, (key, value)) in span.tags.iter().enumerate() {
            let (key, value) = (key.as_ref(), value.as_ref());
            let some = Some(place);
            match key {
                _ if repeated(place) => {}
                _ if name.is_some() && key == name_key => {
                    let same = name.is_some_and(|name| name.eq_ignore_ascii_case(value));
                    self.service_name = some.filter(|_| same);
                    self.attributes.extend(some.filter(|_| !same));
                }
                SERVICE_NAME_SOURCE if name.is_some() && source.is_some() => {
                    self.service_name_source = some;
                }
                b"otel.scope.name" => self.scope_name = some,
                b"otel.scope.version" => self.scope_version = some,
                b"otel.library.name" => library_name = some,
                b"otel.library.version" => library_version = some,
                b"w3c.tracestate" => self.trace_state = some,
                b"span.kind" => self.kind = some,
                b"otel.status_code" => self.status_code = some,
                b"otel.status_description" => self.status_description = some,
                b"error" => self.error = some,
                _ if is_said_by_a_field(span, key) => {}
                _ => {
                    if let Some(number) = link_number(key) {
                        self.links.push((number, place));
                    } else if RESOURCE_KEYS.binary_search_by(|k| k.as_bytes().cmp(key)).is_ok() {
                        self.resource.push(place);
                    } else {
                        self.attributes.push(place);
                    }
                }
            }
        }
        self.prefer(span, library_name, |roles| &mut roles.scope_name);
        self.prefer(span, library_version, |roles| &mut roles.scope_version);
        self.links.sort_unstable();
        self.resource.sort_unstable_by(|&a, &b| key_of(span, a).cmp(key_of(span, b)));
    }

    /// Takes the older of two names for a thing unless the newer one is there; both are kept when they differ.
    fn prefer(
        &mut self,
        span: &ZipkinSpan<'_>,
        older: Option<Place>,
        newer: fn(&mut Self) -> &mut Option<Place>,
    ) {
        let Some(older) = older else { return };
        match *newer(self) {
            None => *newer(self) = Some(older),
            Some(newer) if value_of(span, newer) == value_of(span, older) => {}
            Some(_) => self.attributes.push(older),
        }
    }
}

/// A tag's key.
pub(super) fn key_of<'s>(span: &'s ZipkinSpan<'_>, place: Place) -> &'s [u8] {
    span.tags.get(place).map_or(&[], |(key, _)| key)
}

/// A tag's value.
pub(super) fn value_of<'s>(span: &'s ZipkinSpan<'_>, place: Place) -> &'s [u8] {
    span.tags.get(place).map_or(&[], |(_, value)| value)
}

/// Whether the same key comes again behind a tag.
fn repeated_earlier<'s>(span: &'s ZipkinSpan<'_>) -> impl Fn(Place) -> bool + 's {
    let many = span.tags.len() > COMPARED_TAGS_MAX;
    let last: HashMap<&[u8], Place> = if many {
        span.tags.iter().enumerate().map(|(place, (key, _))| (key.as_ref(), place)).collect()
    } else {
        HashMap::new()
    };
    move |place| {
        let key = key_of(span, place);
        if many {
            return last.get(key) != Some(&place);
        }
        span.tags.iter().skip(place + 1).any(|(later, _)| later.as_ref() == key)
    }
}

/// Whether a field of the span becomes the attribute of this key.
fn is_said_by_a_field(span: &ZipkinSpan<'_>, key: &[u8]) -> bool {
    let (local, remote) = (&span.local, &span.remote);
    match key {
        b"network.local.address" => local.has_address(),
        b"net.host.ip" => local.has_both_addresses(),
        b"net.host.port" => local.port > 0,
        b"service.peer.name" => !remote.service_name.is_empty(),
        b"network.peer.address" => remote.has_address(),
        b"net.peer.ip" => remote.has_both_addresses(),
        b"net.peer.port" => remote.port > 0,
        NO_START => span.start.is_none(),
        _ => false,
    }
}

/// The number in a link's key, in the one spelling that exporters write.
fn link_number(key: &[u8]) -> Option<usize> {
    let digits = key.strip_prefix(LINK_PREFIX)?;
    let canonical = digits == b"0" || !matches!(digits.first(), None | Some(b'0' | b'+'));
    std::str::from_utf8(digits).ok().filter(|_| canonical)?.parse().ok()
}

fn cleared<T>(buffer: &mut Vec<T>) -> Vec<T> {
    buffer.clear();
    std::mem::take(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_keys_are_sorted_for_the_search() {
        assert!(RESOURCE_KEYS.is_sorted());
        assert_eq!(RESOURCE_KEYS.len(), 87);
    }

    #[test]
    fn link_number_is_read_from_the_one_spelling_that_is_written() {
        for (key, number) in [
            ("otlp.link.0", Some(0)),
            ("otlp.link.128", Some(128)),
            ("otlp.link.01", None),
            ("otlp.link.+1", None),
            ("otlp.link.", None),
            ("otlp.links.1", None),
        ] {
            assert_eq!(link_number(key.as_bytes()), number, "{key}");
        }
    }
}
