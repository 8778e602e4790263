//! Images as folders in the layout of the OCI image specification, which registries' tools take as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::binary::Arch;
use crate::failure::{About, Failure};
use crate::project;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What points at a blob.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// What an image runs on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Platform {
    pub(crate) architecture: String,
    pub(crate) os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<String>,
}

/// A list of images.
#[derive(Debug, Deserialize)]
pub(crate) struct Index {
    pub(crate) manifests: Vec<Descriptor>,
}

/// One image.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

/// A folder in that layout.
#[derive(Debug)]
pub(crate) struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// An empty one, in the place of what may have been there.
    pub(crate) fn create(folder: &Path) -> Result<Self, Failure> {
        project::fresh_folder(folder)?;
        project::write(&folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// One that is there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let layout = folder.join("oci-layout");
        if !layout.is_file() {
            return Err(Failure::new(format!("{} is no OCI layout", folder.display())));
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Puts bytes into it.
    pub(crate) fn add(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, Failure> {
        let digest = digest(bytes);
        project::write(&self.blob(&digest)?, bytes)?;
        Ok(Descriptor {
            media_type: media_type.to_owned(),
            digest,
            size: u64::try_from(bytes.len()).about("a blob's size")?,
            platform: None,
            annotations: BTreeMap::new(),
        })
    }

    /// The bytes that a descriptor points at, checked against its digest.
    pub(crate) fn read(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Failure> {
        let path = self.blob(&descriptor.digest)?;
        let bytes = std::fs::read(&path).at(&path)?;
        if digest(&bytes) != descriptor.digest {
            return Err(Failure::new(format!("{} is damaged", path.display())));
        }
        Ok(bytes)
    }

    /// The images of the layout's only tag, whether it names one image or a list.
    pub(crate) fn images(&self) -> Result<Vec<Descriptor>, Failure> {
        let path = self.folder.join("index.json");
        let index: Index = serde_json::from_str(&project::read_text(&path)?).at(&path)?;
        let [only] = index.manifests.as_slice() else {
            return Err(Failure::new(format!("{} has other than one image", path.display())));
        };
        if !is_index(only) {
            return Ok(vec![only.clone()]);
        }
        let nested: Index = serde_json::from_slice(&self.read(only)?).at(&path)?;
        Ok(nested.manifests)
    }

    /// Makes a list of images out of these, tags it, and returns its digest.
    pub(crate) fn finish(
        &self,
        images: Vec<(Arch, Descriptor)>,
        tag: &str,
        annotations: &BTreeMap<String, String>,
    ) -> Result<String, Failure> {
        let manifests: Vec<Descriptor> = images
            .into_iter()
            .map(|(arch, mut image)| {
                image.platform = Some(Platform::of(arch));
                image
            })
            .collect();
        let index = json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": manifests,
            "annotations": annotations,
        });
        let mut index = self.add(INDEX, &to_bytes(&index)?)?;
        let digest = index.digest.clone();
        let name = "org.opencontainers.image.ref.name".to_owned();
        index.annotations.insert(name, tag.to_owned());
        let top = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [index] });
        project::write(&self.folder.join("index.json"), to_bytes(&top)?)?;
        Ok(digest)
    }

    fn blob(&self, digest: &str) -> Result<PathBuf, Failure> {
        let hex = digest
            .strip_prefix("sha256:")
            .filter(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let hex = hex.ok_or_else(|| Failure::new(format!("{digest:?} is no sha256 digest")))?;
        Ok(self.folder.join("blobs/sha256").join(hex))
    }
}

impl Platform {
    pub(crate) fn of(arch: Arch) -> Self {
        Self { architecture: arch.name().to_owned(), os: "linux".to_owned(), variant: None }
    }
}

/// Whether a descriptor points at a list of images, in either of the two dialects.
fn is_index(descriptor: &Descriptor) -> bool {
    let lists = [INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"];
    lists.contains(&descriptor.media_type.as_str())
}

/// A document's bytes. Keys come in the order of the alphabet, so that the same document has the same digest.
pub(crate) fn to_bytes(document: &Value) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(document).about("an image's document")
}

/// What a registry knows bytes by.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

/// The SHA-256 of bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
