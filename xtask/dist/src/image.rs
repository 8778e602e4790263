//! Images from files: layers, the config that says how to run them, and the two forms in which they are handed on.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::archive::{self, Packing};
use crate::binary::Arch;
use crate::failure::Failure;
use crate::oci::{self, Descriptor, Layout};
use crate::project::{self, Source};
use crate::tree::{READABLE, Tree};

/// An image for one architecture.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) arch: Arch,
    /// What changes most comes last, so that an update of the rest costs nothing.
    pub(crate) layers: Vec<Layer>,
    /// How a container of it runs: the `config` object of the specification.
    pub(crate) run: Value,
    /// The date of its source, in the form of RFC 3339.
    pub(crate) created: String,
}

/// A layer, compressed.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) bytes: Vec<u8>,
    /// The digest of the archive before it was compressed.
    pub(crate) diff: String,
    /// What made it, for `docker history`.
    pub(crate) made_by: String,
}

impl Layer {
    /// A layer of files.
    pub(crate) fn of(tree: &Tree, packing: Packing, made_by: &str) -> Result<Self, Failure> {
        let tar = archive::tar(tree)?;
        Ok(Self {
            bytes: archive::gzip(&tar, packing)?,
            diff: oci::digest(&tar),
            made_by: made_by.to_owned(),
        })
    }

    fn history(&self, created: &str) -> Value {
        json!({ "created": created, "created_by": self.made_by })
    }
}

impl Image {
    /// The image's config, the document that its identity is the digest of.
    pub(crate) fn config(&self) -> Value {
        let diffs: Vec<&str> = self.layers.iter().map(|layer| layer.diff.as_str()).collect();
        let history: Vec<Value> =
            self.layers.iter().map(|layer| layer.history(&self.created)).collect();
        json!({
            "created": self.created,
            "architecture": self.arch.name(),
            "os": "linux",
            "config": self.run,
            "rootfs": { "type": "layers", "diff_ids": diffs },
            "history": history,
        })
    }

    /// Bytes to be pulled, config and manifest aside.
    pub(crate) fn compressed_size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.bytes.len() as u64).sum()
    }

    /// Puts the image into a layout.
    pub(crate) fn put(
        &self,
        layout: &Layout,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Descriptor, Failure> {
        let layers = self.layers.iter().map(|layer| layout.add(oci::LAYER, &layer.bytes));
        let layers: Vec<Descriptor> = layers.collect::<Result<_, _>>()?;
        put_manifest(layout, &self.config(), &layers, annotations)
    }

    /// The image as an archive for `docker load`, in Docker's own form, which keeps the health check in every tool.
    pub(crate) fn docker_archive(&self, tag: &str) -> Result<Vec<u8>, Failure> {
        let config = oci::to_bytes(&self.config())?;
        let config_name = format!("{}.json", oci::hex(&config));
        let mut tree = Tree::default();
        let mut names = Vec::new();
        for layer in &self.layers {
            let name = format!("{}.tar.gz", oci::hex(&layer.bytes));
            tree.add(&name, READABLE, layer.bytes.clone());
            names.push(name);
        }
        let manifest = json!([{ "Config": config_name, "RepoTags": [tag], "Layers": names }]);
        tree.add(&config_name, READABLE, config);
        tree.add("manifest.json", READABLE, oci::to_bytes(&manifest)?);
        archive::tar(&tree)
    }
}

/// Puts a config and a manifest for layers that are in the layout already.
pub(crate) fn put_manifest(
    layout: &Layout,
    config: &Value,
    layers: &[Descriptor],
    annotations: &BTreeMap<String, String>,
) -> Result<Descriptor, Failure> {
    let config = layout.add(oci::CONFIG, &oci::to_bytes(config)?)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": oci::MANIFEST,
        "config": config,
        "layers": layers,
        "annotations": annotations,
    });
    layout.add(oci::MANIFEST, &oci::to_bytes(&manifest)?)
}

/// Writes a layout with these images under one tag, and returns the digest that a registry will know them by.
pub(crate) fn write(
    folder: &Path,
    images: &[Image],
    annotations: &BTreeMap<String, String>,
) -> Result<String, Failure> {
    let layout = Layout::create(folder)?;
    let mut listed = Vec::new();
    for image in images {
        listed.push((image.arch, image.put(&layout, annotations)?));
    }
    layout.finish(listed, project::VERSION, annotations)
}

/// What an image says of itself, as labels and as annotations.
pub(crate) fn labels(
    title: &str,
    description: &str,
    source: &Source,
    url: Option<&str>,
) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut label = |name: &str, value: &str| {
        labels.insert(format!("org.opencontainers.image.{name}"), value.to_owned());
    };
    label("title", title);
    label("description", description);
    label("licenses", "Apache-2.0");
    label("version", project::VERSION);
    label("created", &source.date());
    if let Some(revision) = &source.revision {
        label("revision", revision);
    }
    if let Some(url) = url {
        label("source", url);
    }
    labels
}

#[cfg(test)]
mod tests;
