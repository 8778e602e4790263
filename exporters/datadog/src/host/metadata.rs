//! What Datadog is told about a host.
//!
//! Members and their names are those of DataDog/datadog-agent `pkg/opentelemetry-mapping-go/inframetadata/payload/payload.go`; the inventory of
//! processors, memory and processes is not taken.

use pdata::text::{Escaping, put_json_string};
use pdata::view::Attributes;

/// The name of this program in Datadog's inventory.
const FLAVOUR: &str = "hikyaku";
/// What attributes with the tags of an EC2 instance begin with.
const EC2_TAG: &[u8] = b"ec2.tag.";

/// A host.
pub(super) struct Metadata<'a> {
    /// Its name in Datadog.
    pub(super) name: &'a str,
    /// Its name in its operating system.
    pub(super) socket_name: Option<&'a str>,
    /// Tags from the settings.
    pub(super) tags: &'a [String],
    /// The resource that named it.
    pub(super) resource: Option<&'a Attributes<'a>>,
}

impl Metadata<'_> {
    /// The body of a request.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"{\"meta\":{\"hostname\":");
        put(&mut out, self.name.as_bytes());
        if let Some(name) = self.socket_name {
            member(&mut out, "socket-hostname", name.as_bytes());
        }
        let provider = self.attribute("cloud.provider");
        if provider == b"aws" {
            for (name, key) in [("instance-id", "host.id"), ("ec2-hostname", "host.name")] {
                let value = self.attribute(key);
                if !value.is_empty() {
                    member(&mut out, name, value);
                }
            }
        }
        out.push(b'}');
        member(&mut out, "internalHostname", self.name.as_bytes());
        member(&mut out, "otel_version", env!("CARGO_PKG_VERSION").as_bytes());
        member(&mut out, "agent-flavor", FLAVOUR.as_bytes());
        out.extend_from_slice(b",\"host-tags\":{\"otel\":[");
        let mut tags = List::default();
        for tag in self.tags {
            tags.put(&mut out, &[tag.as_bytes()]);
        }
        if provider == b"aws"
            && let Some(resource) = self.resource
        {
            for attribute in resource.iter() {
                if let (Some(key), Some(value)) =
                    (attribute.key.as_bytes().strip_prefix(EC2_TAG), attribute.value.as_str())
                {
                    tags.put(&mut out, &[key, b":", value.as_bytes()]);
                }
            }
        }
        out.push(b']');
        if provider == b"gcp" {
            out.extend_from_slice(b",\"google cloud platform\":[");
            let mut tags = List::default();
            for (tag, key) in [
                ("instance-id", "host.id"),
                ("zone", "cloud.availability_zone"),
                ("instance-type", "host.type"),
                ("project", "cloud.account.id"),
            ] {
                let value = self.attribute(key);
                if !value.is_empty() {
                    tags.put(&mut out, &[tag.as_bytes(), b":", value]);
                }
            }
            out.push(b']');
        }
        out.extend_from_slice(b"}}");
        out
    }

    /// The text of an attribute; empty when there is none.
    fn attribute(&self, key: &str) -> &[u8] {
        let value = self.resource.and_then(|resource| resource.get(key));
        value.and_then(|value| value.as_str()).map(|text| text.as_bytes()).unwrap_or_default()
    }
}

/// A list of strings in JSON.
#[derive(Default)]
struct List {
    has_items: bool,
}

impl List {
    /// Appends a string that is made of parts.
    fn put(&mut self, out: &mut Vec<u8>, parts: &[&[u8]]) {
        if std::mem::replace(&mut self.has_items, true) {
            out.push(b',');
        }
        put(out, &parts.concat());
    }
}

fn member(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.push(b',');
    put(out, name.as_bytes());
    out.push(b':');
    put(out, value);
}

fn put(out: &mut Vec<u8>, text: &[u8]) {
    put_json_string(out, text, Escaping::Plain);
}
