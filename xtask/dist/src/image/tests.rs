use std::collections::BTreeSet;

use super::*;
use crate::tree::EXECUTABLE;

fn image(arch: Arch) -> Image {
    let mut tree = Tree::default();
    tree.add("hikyaku", EXECUTABLE, format!("for {arch}"));
    Image {
        arch,
        layers: vec![Layer::of(&tree, Packing::Small, "a test").unwrap()],
        run: json!({ "User": "65532", "Entrypoint": ["/hikyaku"] }),
        created: "2026-01-01T00:00:00Z".to_owned(),
    }
}

fn annotations() -> BTreeMap<String, String> {
    let source = Source { revision: Some("abc".to_owned()), seconds: 0 };
    labels("hikyaku", "a test", &source, None)
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Every file of a folder with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(below, content)| (format!("{name}/{below}"), content)));
        } else {
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_layout_leads_from_its_tag_to_the_files_of_each_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("image");
    let digest = write(&folder, &Arch::ALL.map(image), &annotations()).unwrap();
    let index = value(&std::fs::read(folder.join("index.json")).unwrap());
    assert_eq!(index["manifests"][0]["digest"], digest);
    let name = &index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"];
    assert_eq!(name, project::VERSION);
    let layout = Layout::open(&folder).unwrap();
    let mut used = BTreeSet::new();
    let images = layout.images().unwrap();
    let archs: Vec<&str> =
        images.iter().map(|image| image.platform.as_ref().unwrap().architecture.as_str()).collect();
    assert_eq!(archs, ["amd64", "arm64"]);
    for (descriptor, arch) in images.iter().zip(Arch::ALL) {
        let manifest = layout.read(descriptor).unwrap();
        assert_eq!(descriptor.size, manifest.len() as u64);
        assert_eq!(value(&manifest)["annotations"]["org.opencontainers.image.revision"], "abc");
        let manifest: oci::Manifest = serde_json::from_slice(&manifest).unwrap();
        let config = value(&layout.read(&manifest.config).unwrap());
        assert_eq!(
            (&config["architecture"], &config["os"]),
            (&json!(arch.name()), &json!("linux"))
        );
        let layer = layout.read(&manifest.layers[0]).unwrap();
        let mut tar = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&layer[..]), &mut tar)
            .unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], oci::digest(&tar));
        assert_eq!(config["history"].as_array().unwrap().len(), 1);
        used.insert(descriptor.digest.clone());
        used.insert(manifest.config.digest);
        used.extend(manifest.layers.into_iter().map(|layer| layer.digest));
    }
    // The list of images, and nothing that nobody points at.
    assert_eq!(files(&folder.join("blobs/sha256")).len(), used.len() + 1);
}

#[test]
fn the_same_files_make_the_same_image() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let images = Arch::ALL.map(image);
    let digests = [&one, &other].map(|folder| write(folder, &images, &annotations()).unwrap());
    assert_eq!(digests[0], digests[1]);
    assert_eq!(files(&one), files(&other));
}

#[test]
fn a_damaged_blob_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).unwrap();
    let descriptor = layout.add(oci::CONFIG, b"{}").unwrap();
    let path = folder.path().join("blobs").join(descriptor.digest.replace(':', "/"));
    std::fs::write(path, "[]").unwrap();
    assert!(layout.read(&descriptor).unwrap_err().to_string().contains("damaged"));
}

#[test]
fn dockers_own_form_holds_the_same_config_and_layers() {
    let image = image(Arch::Amd64);
    let bytes = image.docker_archive("hikyaku:1").unwrap();
    let mut contents = BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        contents.insert(entry.path().unwrap().to_string_lossy().into_owned(), content);
    }
    let manifest = value(&contents["manifest.json"]);
    assert_eq!(manifest[0]["RepoTags"], json!(["hikyaku:1"]));
    let config = value(&contents[manifest[0]["Config"].as_str().unwrap()]);
    assert_eq!(config, image.config());
    let layer = manifest[0]["Layers"][0].as_str().unwrap();
    assert_eq!(contents[layer], image.layers[0].bytes);
}

#[test]
fn the_dockerfile_says_whose_image_it_is() {
    let text = project::read_text(&project::root().join("dist/Dockerfile")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let said = lines.iter().filter_map(|line| line.strip_prefix("LABEL "));
    let said: BTreeMap<String, String> = said
        .map(|label| {
            let (name, value) = label.split_once('=').unwrap();
            (name.to_owned(), value.trim_matches('"').to_owned())
        })
        .collect();
    let mut ours = annotations();
    ours.retain(|name, _| ["title", "licenses"].iter().any(|end| name.ends_with(end)));
    assert_eq!(said, ours);
}
