//! The software bill of materials: what a binary is made of, in CycloneDX 1.6.

use serde_json::{Value, json};

use crate::binary::{Arch, Binary};
use crate::crates::Crate;
use crate::failure::{About, Failure};
use crate::project::{self, Source};

/// The document. It says the same each time it is made from the same source.
///
/// # Errors
/// None that is known of: values of our own always serialise.
pub(crate) fn cyclonedx(
    binary: Binary,
    arch: Arch,
    source: &Source,
    compiler: &str,
    crates: &[Crate],
) -> Result<Vec<u8>, Failure> {
    let name = binary.name();
    let mut components: Vec<Value> = crates
        .iter()
        .filter(|one| one.name != name)
        .map(|one| {
            let mut component = json!({
                "type": "library",
                "bom-ref": purl(one),
                "name": one.name,
                "version": one.version,
                "licenses": [{ "expression": expression(&one.licence) }],
                "purl": purl(one),
            });
            if let (Some(map), Some(repository)) = (component.as_object_mut(), &one.repository) {
                let reference = json!([{ "type": "vcs", "url": repository }]);
                map.insert("externalReferences".to_owned(), reference);
            }
            component
        })
        .collect();
    components.push(json!({
        "type": "library",
        "bom-ref": "rust-std",
        "name": "rust-std",
        "version": compiler,
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
    }));
    components.push(json!({
        "type": "library",
        "bom-ref": "musl",
        "name": "musl",
        "description": "the C library that comes with rust-std for this target",
        "licenses": [{ "expression": "MIT" }],
    }));
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": source.date(),
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": project::VERSION,
                "licenses": [{ "expression": "Apache-2.0" }],
                "properties": [
                    { "name": "target", "value": arch.target() },
                    { "name": "revision", "value": source.revision.as_deref().unwrap_or("unknown") },
                ],
            },
        },
        "components": components,
    });
    let mut bytes = serde_json::to_vec_pretty(&document).about("the bill of materials")?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn purl(one: &Crate) -> String {
    format!("pkg:cargo/{}@{}", one.name, one.version)
}

/// The older `MIT/Apache-2.0` as an SPDX expression.
fn expression(licence: &str) -> String {
    licence.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_is_listed_with_its_licence_and_the_binary_is_the_subject() {
        let one = |name: &str, licence: &str| Crate {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.to_owned(),
            repository: None,
            folder: None,
        };
        let crates =
            [one("hikyaku", "Apache-2.0"), one("bytes", "MIT"), one("a", "MIT/Apache-2.0")];
        let source = Source { revision: Some("abc".to_owned()), seconds: 0 };
        let made = cyclonedx(Binary::Agent, Arch::Amd64, &source, "1.95.0", &crates).unwrap();
        let document: Value = serde_json::from_slice(&made).unwrap();
        assert_eq!(document["metadata"]["component"]["name"], "hikyaku");
        assert_eq!(document["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
        let listed = document["components"].as_array().unwrap();
        let found: Vec<(&str, &str)> = listed
            .iter()
            .map(|one| {
                let licence = &one["licenses"][0]["expression"];
                (one["name"].as_str().unwrap(), licence.as_str().unwrap())
            })
            .collect();
        let expected = [
            ("bytes", "MIT"),
            ("a", "MIT OR Apache-2.0"),
            ("rust-std", "MIT OR Apache-2.0"),
            ("musl", "MIT"),
        ];
        assert_eq!(found, expected);
    }
}
