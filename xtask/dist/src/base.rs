//! A base image for Lambda functions: somebody's base with the extension under `/opt` on top of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::binary::Arch;
use crate::failure::{About, Failure};
use crate::image::{self, Layer};
use crate::oci::{self, Descriptor, Index, Layout, Manifest};
use crate::project;

/// Kinds of places that skopeo takes images from, beside registries (`docker://`) and the layout that is read here (`oci:`).
const TRANSPORTS: [&str; 7] = [
    "containers-storage:",
    "dir:",
    "docker-archive:",
    "docker-daemon:",
    "oci-archive:",
    "ostree:",
    "sif:",
];

/// What the licence of an image's whole content is. A base is somebody else's, and so is what this would say about it.
const LICENCES: &str = "org.opencontainers.image.licenses";

/// The annotation that a layout has tags in.
const TAG: &str = "org.opencontainers.image.ref.name";

/// Somebody's image as a folder in the OCI layout.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Base {
    folder: PathBuf,
    /// None for the only image there is.
    tag: Option<String>,
}

impl Base {
    /// Reads what follows `oci:`: a folder, and perhaps a tag behind a colon.
    fn of_layout(place: &str) -> Self {
        match place.rsplit_once(':') {
            Some((folder, tag)) if !Path::new(place).is_dir() && !tag.contains('/') => {
                Self { folder: folder.into(), tag: Some(tag.to_owned()) }
            }
            _ => Self { folder: place.into(), tag: None },
        }
    }

    fn open(&self) -> Result<Layout, Failure> {
        Layout::open(&self.folder)
    }

    /// The images of the tag, whether it names one or a list.
    fn images(&self, layout: &Layout) -> Result<Vec<Descriptor>, Failure> {
        let Some(tag) = &self.tag else { return layout.images() };
        let path = self.folder.join("index.json");
        let index: Index = serde_json::from_str(&project::read_text(&path)?).at(&path)?;
        let tag_of = |image: &Descriptor| image.annotations.get(TAG).cloned();
        let found = index.manifests.iter().find(|image| tag_of(image).as_ref() == Some(tag));
        let Some(found) = found else {
            let tags: Vec<String> = index.manifests.iter().filter_map(tag_of).collect();
            return Err(Failure::new(format!(
                "{} has no image with the tag {tag:?}; it has {}",
                self.folder.display(),
                if tags.is_empty() { "no tags".to_owned() } else { tags.join(", ") }
            )));
        };
        // Only a list has manifests in it.
        match serde_json::from_slice::<Index>(&layout.read(found)?) {
            Ok(list) => Ok(list.manifests),
            Err(_) => Ok(vec![found.clone()]),
        }
    }
}

/// Gets the base: `oci:FOLDER` and `oci:FOLDER:TAG` are taken as they are, anything else through skopeo, such as
/// `docker://public.ecr.aws/lambda/provided:al2023`.
///
/// # Errors
/// When skopeo is missing or cannot get it.
pub(crate) fn fetch(base: &str, into: &Path, is_insecure: bool) -> Result<Base, Failure> {
    if let Some(place) = base.strip_prefix("oci:") {
        return Ok(Base::of_layout(place));
    }
    project::fresh_folder(into)?;
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["copy", "--quiet", "--all", "--format", "oci"]);
    if is_insecure {
        skopeo.arg("--src-tls-verify=false");
    }
    skopeo.arg(reference(base)).arg(format!("oci:{}:base", into.display()));
    project::output(skopeo).about(
        "skopeo fetches the base (apt-get install skopeo); a base that is here already can be named oci:FOLDER",
    )?;
    Ok(Base { folder: into.to_owned(), tag: None })
}

/// The base as skopeo takes it. A name alone is one in a registry.
fn reference(base: &str) -> String {
    let is_complete = base.contains("://") || TRANSPORTS.iter().any(|kind| base.starts_with(kind));
    if is_complete { base.to_owned() } else { format!("docker://{base}") }
}

/// Writes images that are the base with one more layer each, and returns the digest that a registry will know them by.
///
/// # Errors
/// A base that has no image for one of the architectures, or is where the images are to be written.
pub(crate) fn extend(
    base: &Base,
    folder: &Path,
    layers: &[(Arch, Layer)],
    labels: &BTreeMap<String, String>,
    created: &str,
) -> Result<String, Failure> {
    let below = base.open()?;
    if is_within(&base.folder, folder) {
        return Err(Failure::new(format!(
            "the base is in {}, where the image with the extension is written; name another folder with --out, or copy the base elsewhere",
            folder.display()
        )));
    }
    let found: Vec<(Value, Vec<Descriptor>)> = layers
        .iter()
        .map(|(arch, _)| find(&below, base.images(&below)?, *arch))
        .collect::<Result<_, Failure>>()?;
    let mut labels = labels.clone();
    labels.remove(LICENCES);
    let target = Layout::create(folder)?;
    let mut images = Vec::new();
    for ((arch, layer), (mut config, mut all)) in layers.iter().zip(found) {
        for layer in &all {
            target.add(&layer.media_type, &below.read(layer)?)?;
        }
        all.push(target.add(oci::LAYER, &layer.bytes)?);
        extend_config(&mut config, layer, &labels, created)?;
        images.push((*arch, image::put_manifest(&target, &config, &all, &labels)?));
    }
    let digest = target.finish(images, project::VERSION, &labels)?;
    for (arch, _) in layers {
        println!("dist: {}", push(folder, *arch));
    }
    Ok(digest)
}

/// How one of the images gets to where a function can be made of it. Without `--all`, skopeo takes one out of the list.
fn push(folder: &Path, arch: Arch) -> String {
    format!(
        "Lambda takes an image of one architecture alone: skopeo copy --override-arch {arch} oci:{}:{} docker://REPOSITORY:{arch}",
        folder.display(),
        project::VERSION
    )
}

/// Whether a path is a folder or in it, by whatever names they go.
fn is_within(path: &Path, folder: &Path) -> bool {
    let folder = folder.canonicalize();
    folder.is_ok_and(|folder| path.canonicalize().is_ok_and(|path| path.starts_with(folder)))
}

/// The config and the layers of the base's image for an architecture.
fn find(
    base: &Layout,
    images: Vec<Descriptor>,
    arch: Arch,
) -> Result<(Value, Vec<Descriptor>), Failure> {
    let mut seen = BTreeSet::new();
    for image in images {
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
        seen.insert(found.to_owned());
    }
    seen.retain(|name| !matches!(name.as_str(), "" | "unknown"));
    let seen: Vec<String> = seen.into_iter().collect();
    let known = if seen.is_empty() { "no architecture".to_owned() } else { seen.join(", ") };
    Err(Failure::new(format!(
        "the base is for {known}, not for {arch}; name another base, or --arch"
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
mod tests;
