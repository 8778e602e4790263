//! `service::telemetry::resource`: who this process says it is.

use confmap::{Item, Mismatch, Section};

use super::scalar_text;

/// The attributes: the defaults, changed as the config says. Both forms are read: `attributes` as a list of name and value, and the
/// older map, in which null takes a default away.
pub(super) fn read(section: &mut Section<'_>) -> Vec<(String, String)> {
    let mut attributes = vec![
        ("service.name".to_owned(), "hikyaku".to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id".to_owned(), instance_id().to_owned()),
    ];
    let mut resource = section.section("resource");
    let listed = resource.list("attributes");
    resource.ignored("schema_url", "no attribute here depends on a schema");
    for key in ["detectors", "detection/development"] {
        resource.ignored(key, "resource detection is not part of this program");
    }
    // Upstream does not take it either.
    resource.refused("attributes_list", "write a list of name and value under \"attributes\"");
    for item in &listed {
        if let Some((name, value)) = read_attribute(item) {
            set(&mut attributes, &name, Some(value));
        }
    }
    for (name, item) in resource.all_entries() {
        if OF_LIST_FORM.contains(&name) {
            continue;
        }
        if !listed.is_empty() {
            item.error("an attribute by its own name cannot stand beside the list \"attributes\"");
            continue;
        }
        if item.node().is_null() {
            set(&mut attributes, name, None);
            continue;
        }
        match scalar_text(item.node()) {
            Some(value) => set(&mut attributes, name, Some(value)),
            None => item.report(Mismatch::expected("string", item.node())),
        }
    }
    attributes
}

/// Keys that are no attributes in the older form.
const OF_LIST_FORM: [&str; 5] =
    ["attributes", "schema_url", "detectors", "detection/development", "attributes_list"];

fn read_attribute(item: &Item<'_>) -> Option<(String, String)> {
    let mut section = item.section();
    let name = section.required("name");
    let value = section.item("value");
    section.ignored("type", "the value's own type counts");
    section.finish();
    let value = value?;
    let text = scalar_text(value.node());
    if text.is_none() {
        value.report(Mismatch::expected("string", value.node()));
    }
    Some((name?, text?))
}

fn set(attributes: &mut Vec<(String, String)>, name: &str, value: Option<String>) {
    let known = attributes.iter().position(|(other, _)| other == name);
    match (known, value) {
        (Some(at), Some(value)) => {
            if let Some((_, old)) = attributes.get_mut(at) {
                *old = value;
            }
        }
        (Some(at), None) => {
            let _taken_away = attributes.remove(at);
        }
        (None, Some(value)) => attributes.push((name.to_owned(), value)),
        (None, None) => {}
    }
}

/// A random UUID (RFC 9562 version 4), the same for the life of the process.
fn instance_id() -> &'static str {
    static ID: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let random = fastrand::u128(..);
        let version_4 = (random & !(0xf << 76)) | (0x4 << 76);
        let variant = (version_4 & !(0x3 << 62)) | (0x2 << 62);
        let hex = format!("{variant:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    });
    &ID
}
