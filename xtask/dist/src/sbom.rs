//! The software bill of materials: what a binary is made of, in CycloneDX 1.6.

use serde_json::{Value, json};

use crate::binary::{Arch, Binary};
use crate::bundled::{self, Library};
use crate::crates::Crate;
use crate::failure::{About, Failure};
use crate::project::{self, Source};

/// The document. It says the same each time it is made from the same source. `compiler` is its version, empty for a binary made elsewhere.
///
/// # Errors
/// A crate that does not say which version of a C library it holds.
pub(crate) fn cyclonedx(
    binary: Binary,
    arch: Arch,
    source: &Source,
    compiler: &str,
    crates: &[Crate],
) -> Result<Vec<u8>, Failure> {
    let name = binary.name();
    let mut components: Vec<Value> =
        crates.iter().filter(|one| one.name != name).map(of_crate).collect();
    components.extend(bundled::libraries(crates)?.iter().map(of_library));
    let mut standard = json!({
        "type": "library",
        "bom-ref": "rust-std",
        "name": "rust-std",
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
    });
    let musl = match compiler {
        "" => bundled::unknown_musl(),
        _ => bundled::musl(arch),
    };
    if !compiler.is_empty() {
        insert(&mut standard, "version", json!(compiler));
    }
    components.push(standard);
    components.push(of_library(&musl));
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

fn of_crate(one: &Crate) -> Value {
    let mut component = json!({
        "type": "library",
        "name": one.name,
        "version": one.version,
        "licenses": [{ "expression": expression(&one.licence) }],
    });
    if one.is_ours() {
        // No package URL: it would name what somebody else has put on crates.io.
        insert(&mut component, "bom-ref", json!(format!("hikyaku:{}", one.name)));
        insert(&mut component, "group", json!("hikyaku"));
    } else {
        insert(&mut component, "bom-ref", json!(purl(one)));
        insert(&mut component, "purl", json!(purl(one)));
    }
    if let Some(repository) = &one.repository {
        let reference = json!([{ "type": "vcs", "url": repository }]);
        insert(&mut component, "externalReferences", reference);
    }
    component
}

fn of_library(library: &Library) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": library.name,
        "name": library.name,
        "description": library.description,
        "licenses": [{ "expression": library.licence }],
        "purl": library.purl(),
    });
    if let Some(version) = &library.version {
        insert(&mut component, "version", json!(version));
    }
    if let Some(cpe) = library.cpe() {
        insert(&mut component, "cpe", json!(cpe));
    }
    component
}

fn insert(component: &mut Value, key: &str, value: Value) {
    if let Some(map) = component.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// The package URL of a crate of crates.io. Of what versions may have, only `+` has to be encoded in it.
fn purl(one: &Crate) -> String {
    format!("pkg:cargo/{}@{}", one.name, one.version.replace('+', "%2B"))
}

/// The older `MIT/Apache-2.0` as an SPDX expression.
fn expression(licence: &str) -> String {
    licence.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, version: &str, licence: &str) -> Crate {
        Crate {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.to_owned(),
            repository: None,
            folder: Some("registry".into()),
        }
    }

    fn made(compiler: &str, crates: &[Crate]) -> Value {
        let source = Source { revision: Some("abc".to_owned()), seconds: 0 };
        let made = cyclonedx(Binary::Agent, Arch::Amd64, &source, compiler, crates).unwrap();
        serde_json::from_slice(&made).unwrap()
    }

    fn named<'a>(document: &'a Value, name: &str) -> &'a Value {
        let listed = document["components"].as_array().unwrap();
        listed.iter().find(|one| one["name"] == name).unwrap()
    }

    #[test]
    fn every_crate_is_listed_with_its_licence_and_the_binary_is_the_subject() {
        let crates = [
            one("hikyaku", "1.0.0", "Apache-2.0"),
            one("bytes", "1.0.0", "MIT"),
            one("zstd-sys", "2.0.0+zstd.1.5.7", "MIT/Apache-2.0"),
        ];
        let document = made("1.95.0", &crates);
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
            ("zstd-sys", "MIT OR Apache-2.0"),
            ("zstd", "BSD-3-Clause"),
            ("rust-std", "MIT OR Apache-2.0"),
            ("musl", "MIT"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_c_library_is_named_with_its_version() {
        let document = made("", &[one("zstd-sys", "2.0.0+zstd.1.5.7", "BSD-3-Clause")]);
        let zstd = named(&document, "zstd");
        assert_eq!((&zstd["type"], &zstd["version"]), (&json!("library"), &json!("1.5.7")));
        assert_eq!(zstd["purl"], "pkg:github/facebook/zstd@v1.5.7");
        assert!(zstd["cpe"].as_str().unwrap().contains(":zstandard:1.5.7:"), "{zstd}");
    }

    #[test]
    fn package_urls_are_encoded_and_name_nothing_of_ours() {
        let ours = Crate { folder: None, ..one("net", "0.1.0", "Apache-2.0") };
        let document = made("", &[ours, one("zstd-sys", "2.0.0+zstd.1.5.7", "BSD-3-Clause")]);
        assert_eq!(named(&document, "zstd-sys")["purl"], "pkg:cargo/zstd-sys@2.0.0%2Bzstd.1.5.7");
        let net = named(&document, "net");
        assert_eq!((net.get("purl"), &net["bom-ref"]), (None, &json!("hikyaku:net")));
    }

    #[test]
    fn the_standard_librarys_version_is_left_out_where_it_is_not_known() {
        assert_eq!(named(&made("1.95.0", &[]), "rust-std")["version"], "1.95.0");
        let elsewhere = made("", &[]);
        for name in ["rust-std", "musl"] {
            assert_eq!(named(&elsewhere, name).get("version"), None, "{name}");
        }
    }

    #[test]
    fn references_are_unique() {
        let crates = crate::crates::agent();
        let document = made("1.95.0", &crates);
        let listed = document["components"].as_array().unwrap();
        let references: std::collections::BTreeSet<&str> =
            listed.iter().map(|one| one["bom-ref"].as_str().unwrap()).collect();
        assert_eq!(references.len(), listed.len());
        assert!(listed.len() > crates.len());
    }
}
