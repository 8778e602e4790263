//! Packing, with a small file in the binary's place: what is around it, and that the Dockerfile says the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tests::parts::project;
use tests::process::Process;

use super::examples::check;

/// Runs the program behind `cargo xtask dist`, and returns what it printed.
pub(super) fn dist(arguments: &[&str]) -> String {
    dist_with(arguments, None)
}

/// The same, with the programs of a folder before those of the machine.
fn dist_with(arguments: &[&str], programs: Option<&Path>) -> String {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("hikyaku-dist");
    assert!(program.is_file(), "there is no {program:?}: run `cargo build -p xtask-dist`");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(project());
    if let Some(folder) = programs {
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", folder.display()));
    }
    let ended = Process::start("hikyaku-dist", command).wait();
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    ended.stdout
}

/// Packs a small file, and returns the folder with what was made.
fn packed(task: &str, name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("binary");
    std::fs::write(&binary, "not much").unwrap();
    let (binary, out) = (binary.to_str().unwrap(), folder.path().to_str().unwrap());
    let common = ["--prebuilt", binary, "--arch", "amd64", "--uncompressed", "--out", out];
    dist(&[&[task, "--name", name], &common[..]].concat());
    folder
}

/// The config of the only image in a layout.
pub(super) fn image_config(layout: &Path) -> Value {
    let json =
        |path: PathBuf| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap().replace(':', "/");
        json(layout.join("blobs").join(digest))
    };
    let index = blob(&json(layout.join("index.json"))["manifests"][0]);
    blob(&blob(&index["manifests"][0])["config"])
}

#[test]
fn the_agents_image_has_its_papers_and_runs_as_nobody() {
    let folder = packed("image", "zipkin-debug");
    let root = folder.path().join("context/amd64");
    assert_eq!(std::fs::read(root.join("hikyaku")).unwrap(), b"not much");
    let config = std::fs::read(project().join("dist/zipkin-debug/image.yaml")).unwrap();
    assert_eq!(std::fs::read(root.join("etc/hikyaku/config.yaml")).unwrap(), config);
    let papers = root.join("usr/share/doc/hikyaku");
    let licences = std::fs::read_to_string(papers.join("LICENCES.txt")).unwrap();
    assert!(licences.contains("Apache License") && licences.contains("musl (MIT)"));
    let sbom = papers.join("sbom.cdx.json");
    assert_eq!(check(&[("cyclonedx", sbom.clone())]), Vec::<String>::new());
    let sbom = std::fs::read_to_string(sbom).unwrap();
    // Exactly the selection, not all there is.
    assert!(sbom.contains("exporter-zipkin") && !sbom.contains("exporter-datadog"));
    let authorities = std::fs::read_to_string(root.join("etc/ssl/certs/ca-certificates.crt"));
    assert!(authorities.unwrap().matches("BEGIN CERTIFICATE").count() > 100);
    let image = image_config(&folder.path().join("image"));
    assert_eq!(image["config"]["User"], "65532:65532");
    assert_eq!(image["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
}

#[test]
fn the_dockerfile_says_what_the_image_says() {
    let folder = packed("image", "agent");
    let image = image_config(&folder.path().join("image"))["config"].clone();
    let text = std::fs::read_to_string(project().join("dist/Dockerfile")).unwrap();
    let text = text.replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let said: BTreeMap<&str, &str> = lines.filter_map(|line| line.split_once(' ')).collect();
    let json = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    assert_eq!(image["User"], said["USER"]);
    assert_eq!(image["WorkingDir"], said["WORKDIR"]);
    assert_eq!(image["StopSignal"], said["STOPSIGNAL"]);
    assert_eq!(image["Env"], json!([said["ENV"]]));
    assert_eq!(image["Entrypoint"], json(said["ENTRYPOINT"]));
    assert_eq!(image["Cmd"], json(said["CMD"]));
    let mut ports: Vec<String> =
        said["EXPOSE"].split(' ').map(|port| format!("{port}/tcp")).collect();
    ports.sort();
    let exposed: Vec<&String> = image["ExposedPorts"].as_object().unwrap().keys().collect();
    assert_eq!(exposed, ports.iter().collect::<Vec<_>>());
    let (options, command) = said["HEALTHCHECK"].split_once(" CMD ").unwrap();
    let check = &image["Healthcheck"];
    let test = json(command).as_array().unwrap().clone();
    assert_eq!(check["Test"], json!([vec![json!("CMD")], test].concat()));
    for (option, key) in
        [("interval", "Interval"), ("timeout", "Timeout"), ("start-period", "StartPeriod")]
    {
        let seconds = check[key].as_u64().unwrap() / 1_000_000_000;
        assert!(options.contains(&format!("--{option}={seconds}s")), "{option}: {options}");
    }
    assert!(options.contains(&format!("--retries={}", check["Retries"])));
}

#[test]
fn the_layer_has_the_extension_where_lambda_looks_and_a_config_where_the_extension_looks() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = packed("layer", "lambda");
    let zip = folder.path().join("hikyaku-lambda-amd64.zip");
    let opt = folder.path().join("opt");
    let mut unzip = Command::new("python3");
    // The modes are in the upper half of an entry's external attributes.
    unzip.args([
        "-c",
        "import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for entry in archive.infolist():
        os.chmod(archive.extract(entry, sys.argv[2]), (entry.external_attr >> 16) & 0o7777)
",
    ]);
    unzip.arg(&zip).arg(&opt);
    assert_eq!(Process::start("python3", unzip).wait().code, Some(0));
    let mode = |path: &str| opt.join(path).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("extensions/hikyaku"), 0o755);
    assert_eq!(mode("collector-config/config.yaml"), 0o644);
    assert_eq!(mode("extensions"), 0o755);
    let names: Vec<String> = opt
        .join("extensions")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    // Lambda starts every file in there.
    assert_eq!(names, ["hikyaku"]);
    let sums = std::fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    assert!(sums.contains("  hikyaku-lambda-amd64.zip\n"), "{sums}");
    let image = image_config(&folder.path().join("opt-image"));
    assert_eq!(image["architecture"], "amd64");
}

#[test]
fn publishing_prints_a_call_for_each_region_and_wants_the_layer_made_before() {
    let folder = packed("layer", "lambda");
    let out = folder.path().to_str().unwrap();
    let regions = "eu-west-1,us-east-1";
    let printed = dist(&["publish", "--regions", regions, "--arch", "amd64", "--out", out]);
    assert_eq!(printed.lines().count(), 2, "{printed}");
    for region in regions.split(',') {
        let call = format!("aws lambda publish-layer-version --region {region}");
        assert!(printed.contains(&call), "{printed}");
    }
}

/// The answers are those of the AWS command line; that it takes the calls has been tried with the real one and moto.
#[test]
fn publishing_lets_others_use_the_version_that_aws_gave_the_layer() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = packed("layer", "lambda");
    let (out, programs) = (folder.path().to_str().unwrap(), folder.path().join("programs"));
    std::fs::create_dir(&programs).unwrap();
    let aws = programs.join("aws");
    let script = "#!/bin/sh
echo \"$@\" >> \"$(dirname \"$0\")/calls\"
[ \"$2\" = publish-layer-version ] && echo arn:aws:lambda:eu-west-1:123456789012:layer:hikyaku-amd64:17
exit 0
";
    std::fs::write(&aws, script).unwrap();
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).unwrap();
    let words =
        ["publish", "--run", "--public", "--regions=eu-west-1", "--arch=amd64", "--out", out];
    let printed = dist_with(&words, Some(&programs));
    assert_eq!(printed, "arn:aws:lambda:eu-west-1:123456789012:layer:hikyaku-amd64:17\n");
    let calls = std::fs::read_to_string(programs.join("calls")).unwrap();
    let [publish, permit] = calls.lines().collect::<Vec<_>>()[..] else { panic!("{calls}") };
    assert!(
        publish.contains("fileb://") && publish.contains("hikyaku-lambda-amd64.zip"),
        "{calls}"
    );
    assert!(
        permit.contains("add-layer-version-permission") && permit.contains("--version-number 17")
    );
}
