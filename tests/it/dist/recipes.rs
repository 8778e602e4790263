//! The recipes of `dist/README.md`, run as they stand.

use std::path::Path;
use std::process::Command;

use tests::engine::Engine;
use tests::parts::project;

/// The shell blocks of the section with the recipes.
fn recipes() -> Vec<String> {
    let text = std::fs::read_to_string(project().join("dist/README.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Three recipes")).unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Runs a recipe in the project's folder and returns what it printed. It may take as long as a build takes.
fn follow(recipe: &str, path: &str) -> String {
    let mut command = Command::new("sh");
    command.args(["-eu", "-c", recipe]).env("PATH", path).current_dir(project());
    let output = command.output().unwrap();
    let (text, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{recipe}\n{text}\n{errors}");
    text.into_owned()
}

/// The search path, with `docker` on it as podman with a state of its own.
fn with_docker(engine: &Engine) -> String {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = engine.folder().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let script = folder.join("docker");
    std::fs::write(&script, engine.script("podman")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn a_sidecar_runs_from_nothing() {
    // The default config listens at its usual ports of the loopback interface, which must be nobody else's.
    let engine = Engine::start();
    let [sidecar, ..] = &recipes()[..] else { panic!("no recipes") };
    let printed = follow(sidecar, &with_docker(&engine));
    assert!(printed.contains("ready: health_check at localhost:13133"), "{printed}");
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn a_layer_is_made_and_its_publication_printed() {
    let [_, layer, _] = &recipes()[..] else { panic!("three recipes") };
    let printed = follow(layer, &std::env::var("PATH").unwrap());
    let calls = printed.lines().filter(|line| line.starts_with("aws lambda publish-layer-version"));
    assert_eq!(calls.count(), 4, "two regions, two architectures: {printed}");
}

/// Removed whatever becomes of the test: it is in the project's own folder.
struct Gone<'a>(&'a Path);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(self.0);
    }
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn a_selection_holds_what_was_listed_and_nothing_else_and_its_image_runs() {
    let engine = Engine::start();
    let folder = project().join("dist/mine");
    assert!(!folder.exists(), "{} would be overwritten", folder.display());
    let _gone = Gone(&folder);
    let [.., selection] = &recipes()[..] else { panic!("no recipes") };
    let printed = follow(selection, &with_docker(&engine));
    let names = printed.lines().filter_map(|line| line.trim().strip_prefix("- name: "));
    assert_eq!(names.collect::<Vec<_>>(), ["otlp", "batch", "otlphttp", "health_check"]);
    let schemes = printed.lines().filter_map(|line| line.trim().strip_prefix("- scheme: "));
    assert_eq!(schemes.collect::<Vec<_>>(), ["env", "file", "yaml"]);
    assert!(printed.contains("ready: health_check at localhost:13133"), "{printed}");
}
