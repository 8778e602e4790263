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

/// The base that a folder holds.
fn only(folder: &Path) -> Base {
    Base { folder: folder.to_owned(), tag: None }
}

fn extend_with_nothing(base: &Base, folder: &Path, arch: Arch) -> Result<String, String> {
    let layers = [(arch, layer("opt/x"))];
    extend(base, folder, &layers, &BTreeMap::new(), "").map_err(|failure| failure.to_string())
}

#[test]
fn a_layer_comes_on_top_and_the_rest_of_the_base_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (below, above) = (folder.path().join("base"), folder.path().join("new"));
    base(&below, &Arch::ALL);
    let below = only(&below);
    let layers = Arch::ALL.map(|arch| (arch, layer("opt/extensions/hikyaku")));
    let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    extend(&below, &above, &layers, &labels, "2026-01-01T00:00:00Z").unwrap();
    let layout = Layout::open(&above).unwrap();
    for arch in Arch::ALL {
        let (config, layers) = find(&layout, layout.images().unwrap(), arch).unwrap();
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
    let refused = extend(&only(&below), &above, &layers, &BTreeMap::new(), "").unwrap_err();
    assert!(refused.to_string().contains("for amd64, not for arm64"), "{refused}");
}

#[test]
fn what_a_base_is_for_is_told_once_and_without_attestations() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("base");
    base(&below, &[Arch::Amd64]);
    let layout = Layout::open(&below).unwrap();
    let [image] = &layout.images().unwrap()[..] else { panic!() };
    let mut attestation = image.clone();
    attestation.platform.as_mut().unwrap().architecture = "unknown".to_owned();
    let of = |images| find(&layout, images, Arch::Arm64).unwrap_err().to_string();
    let text = of(vec![image.clone(), attestation.clone(), image.clone()]);
    assert!(text.contains("is for amd64, not for arm64"), "{text}");
    let text = of(vec![attestation]);
    assert!(text.contains("is for no architecture, not for arm64"), "{text}");
}

#[test]
fn a_layouts_folder_may_have_a_tag_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let (below, above) = (folder.path().join("base"), folder.path().join("new"));
    base(&below, &[Arch::Amd64]);
    // The form that is printed of what was made.
    let named = |tag: &str| {
        let place = format!("oci:{}{tag}", below.display());
        fetch(&place, &folder.path().join("fetched"), false).unwrap()
    };
    for tag in ["", &format!(":{}", project::VERSION)] {
        extend_with_nothing(&named(tag), &above, Arch::Amd64).unwrap();
    }
    let refused = extend_with_nothing(&named(":latest"), &above, Arch::Amd64).unwrap_err();
    let has = format!("\"latest\"; it has {}", project::VERSION);
    assert!(refused.contains(&has), "{refused}");
    // A colon in a folder's name is one.
    std::fs::rename(&below, folder.path().join("base:1")).unwrap();
    extend_with_nothing(&named(":1"), &above, Arch::Amd64).unwrap();
}

#[test]
fn one_of_several_tags_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (below, above) = (folder.path().join("base"), folder.path().join("new"));
    base(&below, &[Arch::Amd64]);
    let index = below.join("index.json");
    let mut both: Value = serde_json::from_str(&project::read_text(&index).unwrap()).unwrap();
    let list = both["manifests"].as_array_mut().unwrap();
    // One image and no list of them.
    let layout = Layout::open(&below).unwrap();
    let mut image = serde_json::to_value(&layout.images().unwrap()[0]).unwrap();
    image["annotations"] = json!({ TAG: "single" });
    list.push(image);
    std::fs::write(&index, both.to_string()).unwrap();
    for tag in [project::VERSION, "single"] {
        let base = Base { tag: Some(tag.to_owned()), ..only(&below) };
        extend_with_nothing(&base, &above, Arch::Amd64).unwrap();
    }
    assert!(extend_with_nothing(&only(&below), &above, Arch::Amd64).is_err());
}

#[test]
fn a_base_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("base");
    base(&below, &[Arch::Amd64]);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&below, &link).unwrap();
    for out in [&below, &link, &folder.path().to_owned()] {
        let refused = extend_with_nothing(&only(&below), out, Arch::Amd64).unwrap_err();
        assert!(refused.contains("--out"), "{refused}");
    }
    // A refused architecture leaves what was there, too.
    let above = folder.path().join("above");
    extend_with_nothing(&only(&below), &above, Arch::Amd64).unwrap();
    extend_with_nothing(&only(&below), &above, Arch::Arm64).unwrap_err();
    extend_with_nothing(&only(&above), &folder.path().join("more"), Arch::Amd64).unwrap();
}

#[test]
fn the_licence_of_somebody_elses_base_is_not_ours_to_tell() {
    let folder = tempfile::tempdir().unwrap();
    let (below, above) = (folder.path().join("base"), folder.path().join("new"));
    base(&below, &[Arch::Amd64]);
    let labels = [(LICENCES, "Apache-2.0"), ("org.opencontainers.image.title", "ours")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let layers = [(Arch::Amd64, layer("opt/x"))];
    extend(&only(&below), &above, &layers, &BTreeMap::from(labels), "").unwrap();
    let layout = Layout::open(&above).unwrap();
    let (config, _) = find(&layout, layout.images().unwrap(), Arch::Amd64).unwrap();
    let title = json!({ "org.opencontainers.image.title": "ours" });
    assert_eq!(config["config"]["Labels"], title);
    for entry in above.join("blobs/sha256").read_dir().unwrap() {
        let blob = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&blob).contains(LICENCES));
    }
}

#[test]
fn a_place_that_skopeo_knows_is_handed_on_and_a_name_is_one_of_a_registry() {
    for (base, expected) in [
        ("public.ecr.aws/lambda/provided:al2023", "docker://public.ecr.aws/lambda/provided:al2023"),
        ("docker://a/b:1", "docker://a/b:1"),
        ("docker-daemon:a:1", "docker-daemon:a:1"),
        ("dir:/tmp/a", "dir:/tmp/a"),
        ("localhost:5000/a", "docker://localhost:5000/a"),
    ] {
        assert_eq!(reference(base), expected);
    }
}

#[test]
fn pushing_is_told_for_one_architecture() {
    let told = push(Path::new("out/base-image"), Arch::Arm64);
    assert!(told.contains("--override-arch arm64 oci:out/base-image:"), "{told}");
    assert!(!told.contains("--all"), "{told}");
}
