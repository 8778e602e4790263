//! A base image for Lambda functions: somebody's base with the extension under `/opt` on top of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::binary::Arch;
use crate::failure::{About, Failure};
use crate::image::{self, Layer};
use crate::oci::{self, Descriptor, Layout, Manifest};
use crate::project;

/// The base as a folder in the OCI layout: `oci:FOLDER` as it is, anything else through skopeo, such as
/// `docker://public.ecr.aws/lambda/provided:al2023`.
///
/// # Errors
/// When skopeo is missing or cannot get it.
pub(crate) fn fetch(base: &str, into: &Path, is_insecure: bool) -> Result<PathBuf, Failure> {
    if let Some(folder) = base.strip_prefix("oci:") {
        return Ok(PathBuf::from(folder));
    }
    let reference = if base.contains("://") { base.to_owned() } else { format!("docker://{base}") };
    project::fresh_folder(into)?;
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["copy", "--quiet", "--all", "--format", "oci"]);
    if is_insecure {
        skopeo.arg("--src-tls-verify=false");
    }
    skopeo.arg(&reference).arg(format!("oci:{}:base", into.display()));
    project::output(skopeo).about(
        "skopeo fetches the base (apt-get install skopeo); a base that is here already can be named oci:FOLDER",
    )?;
    Ok(into.to_owned())
}

/// Writes images that are the base with one more layer each, and returns the digest that a registry will know them by.
///
/// # Errors
/// A base that has no image for one of the architectures.
pub(crate) fn extend(
    base: &Path,
    folder: &Path,
    layers: &[(Arch, Layer)],
    labels: &BTreeMap<String, String>,
    created: &str,
) -> Result<String, Failure> {
    let (base, target) = (Layout::open(base)?, Layout::create(folder)?);
    let mut images = Vec::new();
    for (arch, layer) in layers {
        let (mut config, mut below) = find(&base, *arch)?;
        for layer in &below {
            target.add(&layer.media_type, &base.read(layer)?)?;
        }
        below.push(target.add(oci::LAYER, &layer.bytes)?);
        extend_config(&mut config, layer, labels, created)?;
        images.push((*arch, image::put_manifest(&target, &config, &below, labels)?));
    }
    target.finish(images, project::VERSION, labels)
}

/// The config and the layers of the base for an architecture.
fn find(base: &Layout, arch: Arch) -> Result<(Value, Vec<Descriptor>), Failure> {
    let mut seen = Vec::new();
    for image in base.images()? {
        // Beside images a list may have attestations, which are for no architecture.
        let listed = image.platform.as_ref().map(|platform| platform.architecture.clone());
        if listed.as_deref().is_some_and(|listed| listed != arch.name()) {
            seen.extend(listed);
            continue;
        }
        let manifest: Manifest =
            serde_json::from_slice(&base.read(&image)?).about("the base's manifest")?;
        let config: Value =
            serde_json::from_slice(&base.read(&manifest.config)?).about("the base's config")?;
        let found = config.get("architecture").and_then(Value::as_str).unwrap_or_default();
        if found == arch.name() {
            return Ok((config, manifest.layers));
        }
        seen.push(found.to_owned());
    }
    Err(Failure::new(format!(
        "the base is for {}, not for {arch}; name another base, or --arch",
        seen.join(", ")
    )))
}

fn extend_config(
    config: &mut Value,
    layer: &Layer,
    labels: &BTreeMap<String, String>,
    created: &str,
) -> Result<(), Failure> {
    let wrong = || Failure::new("the base's config is not of the form that images have");
    let map = config.as_object_mut().ok_or_else(wrong)?;
    map.insert("created".to_owned(), json!(created));
    let diffs = map.get_mut("rootfs").and_then(|rootfs| rootfs.get_mut("diff_ids"));
    diffs.and_then(Value::as_array_mut).ok_or_else(wrong)?.push(json!(layer.diff));
    let history = map.entry("history").or_insert_with(|| json!([]));
    let made = json!({ "created": created, "created_by": layer.made_by });
    history.as_array_mut().ok_or_else(wrong)?.push(made);
    let run = map.entry("config").or_insert_with(|| json!({})).as_object_mut().ok_or_else(wrong)?;
    if run.get("Labels").is_none_or(Value::is_null) {
        run.insert("Labels".to_owned(), json!({}));
    }
    let found = run.get_mut("Labels").and_then(Value::as_object_mut).ok_or_else(wrong)?;
    found.extend(labels.iter().map(|(name, value)| (name.clone(), json!(value))));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Packing;
    use crate::image::Image;
    use crate::tree::{EXECUTABLE, READABLE, Tree};

    fn layer(path: &str) -> Layer {
        let mut tree = Tree::default();
        tree.add(path, EXECUTABLE, path);
        tree.add("etc/x", READABLE, "");
        Layer::of(&tree, Packing::Small, path).unwrap()
    }

    fn base(folder: &Path, archs: &[Arch]) {
        let run = json!({ "Entrypoint": ["/lambda-entrypoint.sh"], "Env": ["LANG=C"] });
        let images: Vec<Image> = archs
            .iter()
            .map(|arch| Image {
                arch: *arch,
                layers: vec![layer("var/runtime/bootstrap")],
                run: run.clone(),
                created: "2020-01-01T00:00:00Z".to_owned(),
            })
            .collect();
        image::write(folder, &images, &BTreeMap::new()).unwrap();
    }

    #[test]
    fn a_layer_comes_on_top_and_the_rest_of_the_base_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (below, above) = (folder.path().join("base"), folder.path().join("new"));
        base(&below, &Arch::ALL);
        let layers = Arch::ALL.map(|arch| (arch, layer("opt/extensions/hikyaku")));
        let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        extend(&below, &above, &layers, &labels, "2026-01-01T00:00:00Z").unwrap();
        let layout = Layout::open(&above).unwrap();
        for arch in Arch::ALL {
            let (config, layers) = find(&layout, arch).unwrap();
            assert_eq!(layers.len(), 2);
            for layer in &layers {
                layout.read(layer).unwrap();
            }
            let diffs = [layer("var/runtime/bootstrap").diff, layer("opt/extensions/hikyaku").diff];
            assert_eq!(config["rootfs"]["diff_ids"], json!(diffs));
            assert_eq!(config["history"].as_array().unwrap().len(), 2);
            let run = &config["config"];
            assert_eq!(run["Entrypoint"], json!(["/lambda-entrypoint.sh"]));
            assert_eq!((&run["Env"], &run["Labels"]), (&json!(["LANG=C"]), &json!({ "a": "b" })));
        }
    }

    #[test]
    fn a_base_for_another_architecture_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (below, above) = (folder.path().join("base"), folder.path().join("new"));
        base(&below, &[Arch::Amd64]);
        let layers = [(Arch::Arm64, layer("opt/x"))];
        let refused = extend(&below, &above, &layers, &BTreeMap::new(), "").unwrap_err();
        assert!(refused.to_string().contains("for amd64, not for arm64"), "{refused}");
    }
}
