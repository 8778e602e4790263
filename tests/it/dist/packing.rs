//! Packing, with a small program in the binary's place: what is around it, and that the Dockerfile says the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tests::agent;
use tests::parts::project;
use tests::process::{Ended, Process};

use super::examples::check;

/// What ELF calls the processors of amd64 and arm64.
const MACHINES: [(&str, u16); 2] = [("amd64", 62), ("arm64", 183)];

/// Runs the program behind `cargo xtask dist`, and returns what it printed.
pub(super) fn dist(arguments: &[&str]) -> String {
    let ended = try_dist(arguments, None);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    ended.stdout
}

/// The same for what is refused: returns what it said.
fn refused(arguments: &[&str]) -> String {
    let ended = try_dist(arguments, None);
    assert_eq!(ended.code, Some(1), "{arguments:?}: {}", ended.stdout);
    ended.stderr
}

/// Runs it with the programs of a folder before those of the machine.
fn try_dist(arguments: &[&str], programs: Option<&Path>) -> Ended {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("hikyaku-dist");
    assert!(program.is_file(), "there is no {program:?}: run `cargo build -p xtask-dist`");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(project());
    if let Some(folder) = programs {
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", folder.display()));
    }
    Process::start("hikyaku-dist", command).wait()
}

/// The architecture that programs built for this machine are packed for.
pub(super) fn host() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}

/// A program that links nothing and, on amd64, ends at once with success: the header of an ELF file, one segment, `exit(0)`.
fn small_program(arch: &str) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    // mov eax, 60; xor edi, edi; syscall
    let code = [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];
    let size = HEADERS + 9;
    let (_, machine) = MACHINES.into_iter().find(|(name, _)| *name == arch).unwrap();
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // An executable, its processor, the version.
    file.extend([2_u16, machine].map(u16::to_le_bytes).concat());
    file.extend(1_u32.to_le_bytes());
    // Where it begins, where the segments are listed, no sections, no flags.
    file.extend([BASE + HEADERS, 64, 0].map(u64::to_le_bytes).concat());
    file.extend(0_u32.to_le_bytes());
    file.extend([64_u16, 56, 1, 0, 0, 0].map(u16::to_le_bytes).concat());
    // PT_LOAD, readable and executable: all of the file.
    file.extend([1_u32, 5].map(u32::to_le_bytes).concat());
    file.extend([0, BASE, BASE, size, size, 0x1000].map(u64::to_le_bytes).concat());
    file.extend(code);
    file
}

/// Packs the small program, and returns the folder with what was made.
fn packed(task: &str, name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    pack_into(folder.path(), &[task, "--name", name], "amd64");
    folder
}

fn pack_into(folder: &Path, task: &[&str], arch: &str) -> String {
    let binary = folder.join("binary");
    std::fs::write(&binary, small_program(arch)).unwrap();
    let (binary, out) = (binary.to_str().unwrap(), folder.to_str().unwrap());
    dist(&[task, &["--prebuilt", binary, "--arch", arch, "--uncompressed", "--out", out]].concat())
}

/// A distribution outside the project: its folder stands for its name.
fn distribution(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    let list = "description = 'a test'
builds = ['agent']
receivers = ['otlp']
exporters = ['otlphttp']
";
    for (name, text) in [("components.toml", list)].iter().chain(files) {
        std::fs::write(mine.join(name), text).unwrap();
    }
    folder
}

/// Unpacks a zip file as Lambda does, with the modes that it has for its files.
pub(super) fn unzip(zip: &Path, into: &Path) {
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
    unzip.arg(zip).arg(into);
    let ended = Process::start("python3", unzip).wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// Makes sure that an unpacked layer has the extension where Lambda looks, alone and as a program, and a config where the extension looks.
pub(super) fn assert_layer(opt: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

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
    assert_eq!(std::fs::read(root.join("hikyaku")).unwrap(), small_program("amd64"));
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
    let folder = packed("layer", "lambda");
    let opt = folder.path().join("opt");
    unzip(&folder.path().join("hikyaku-lambda-amd64.zip"), &opt);
    assert_layer(&opt);
    let sums = std::fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    assert!(sums.contains("  hikyaku-lambda-amd64.zip\n"), "{sums}");
    let image = image_config(&folder.path().join("opt-image"));
    assert_eq!(image["architecture"], "amd64");
}

#[test]
fn a_binary_that_would_not_run_in_the_artefact_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [text, small] = ["text", "small"].map(|name| folder.path().join(name));
    std::fs::write(&text, "not much").unwrap();
    std::fs::write(&small, small_program("amd64")).unwrap();
    for (binary, arch, why) in [
        (&text, "amd64", "not an ELF file"),
        (&small, "arm64", "for another architecture than arm64"),
        (&agent::binary(), host(), "PT_INTERP"),
    ] {
        let (binary, out) = (binary.to_str().unwrap(), folder.path().join("out"));
        let out = out.to_str().unwrap();
        let said = refused(&["image", "--prebuilt", binary, "--arch", arch, "--out", out]);
        assert!(said.contains("--prebuilt") && said.contains(why), "{said}");
    }
    assert!(!folder.path().join("out").exists());
}

#[test]
fn without_a_config_for_it_no_image_is_made_but_the_binary_is() {
    let (mine, out) = (distribution(&[]), tempfile::tempdir().unwrap());
    let mine = mine.path().join("mine");
    let name = mine.to_str().unwrap();
    let binary = out.path().join("binary");
    std::fs::write(&binary, small_program("amd64")).unwrap();
    let binary = binary.to_str().unwrap();
    let said = refused(&["image", "--name", name, "--prebuilt", binary, "--arch", "amd64"]);
    assert!(
        said.contains("there is no image.yaml") && said.contains("the exporter debug"),
        "{said}"
    );
    let printed = pack_into(out.path(), &["--name", name], "amd64");
    assert!(printed.contains("note: no image is made: ") && printed.contains("image.yaml"));
    assert!(out.path().join("amd64/hikyaku").is_file());
    assert!(out.path().join("hikyaku-linux-amd64.tar.gz").is_file());
    assert!(!out.path().join("image").exists());
    assert!(!out.path().join("image-amd64.docker.tar").exists());
}

/// By the agent itself, which here is the one that a developer builds.
#[test]
fn a_config_that_the_agent_would_not_start_with_is_refused() {
    let yaml = "receivers: { otlp: { protocols: { http: } } }
exporters: { otlphttp: { endpont: 'http://backend:4318' } }
service: { pipelines: { traces: { receivers: [otlp], exporters: [otlphttp] } } }
";
    let (mine, out) = (distribution(&[("image.yaml", yaml)]), tempfile::tempdir().unwrap());
    let (name, binary) = (mine.path().join("mine"), agent::binary());
    let name = name.to_str().unwrap();
    let (binary, out) = (binary.to_str().unwrap(), out.path().to_str().unwrap());
    let common = ["image", "--prebuilt", binary, "--dynamic", "--arch", host(), "--uncompressed"];
    let said = refused(&[&common[..], &["--name", name, "--out", out]].concat());
    assert!(said.contains("image.yaml") && said.contains("did you mean \"endpoint\""), "{said}");
    assert!(!Path::new(out).join("image").exists());
}

#[test]
fn what_an_earlier_run_made_for_the_other_architecture_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    pack_into(folder.path(), &["layer"], "arm64");
    assert!(folder.path().join("hikyaku-lambda-arm64.zip").is_file());
    pack_into(folder.path(), &["layer"], "amd64");
    assert!(!folder.path().join("hikyaku-lambda-arm64.zip").exists());
    let sums = std::fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    assert!(sums.contains("amd64") && !sums.contains("arm64"), "{sums}");
    let out = folder.path().to_str().unwrap();
    let said = refused(&["publish", "--force", "--regions", "eu-west-1", "--out", out]);
    let remedy = format!("`cargo xtask dist layer --out {out}`");
    assert!(said.contains("arm64.zip is not there") && said.contains(&remedy), "{said}");
}

#[test]
fn publishing_prints_a_call_for_each_region_and_wants_the_layer_made_before() {
    let folder = packed("layer", "lambda");
    let out = folder.path().to_str().unwrap();
    let words = ["publish", "--regions", "eu-west-1, us-east-1", "--arch", "amd64", "--out", out];
    // It is a try, which is no more than can be told to its maker.
    let said = refused(&words);
    assert!(said.contains("not compressed") && said.contains("--force"), "{said}");
    let printed = dist(&[&words[..], &["--force"]].concat());
    assert_eq!(printed.lines().count(), 2, "{printed}");
    for region in ["eu-west-1", "us-east-1"] {
        let call = format!("aws lambda publish-layer-version --region {region} ");
        assert!(printed.contains(&call), "{printed}");
    }
    std::fs::write(folder.path().join("hikyaku-lambda-amd64.zip"), "of another commit").unwrap();
    let said = refused(&[&words[..], &["--force"]].concat());
    assert!(said.contains("is not the one"), "{said}");
}

/// A folder with an `aws` that notes its words in `calls`, gives each published version the number 17, and fails in one region.
fn aws(folder: &Path, failing: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;

    let programs = folder.join("programs");
    std::fs::create_dir(&programs).unwrap();
    let aws = programs.join("aws");
    let script = format!(
        "#!/bin/sh
echo \"$@\" >> '{}/calls'
[ \"$4\" = '{failing}' ] && echo 'no such region' >&2 && exit 254
[ \"$2\" = publish-layer-version ] && echo \"arn:aws:lambda:$4:123456789012:layer:$6:17\"
exit 0
",
        programs.display()
    );
    std::fs::write(&aws, script).unwrap();
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).unwrap();
    programs
}

/// The answers are those of the AWS command line; that it takes the calls has been tried with the real one and moto.
#[test]
fn publishing_lets_others_use_the_version_that_aws_gave_the_layer() {
    let folder = packed("layer", "lambda");
    let (out, programs) = (folder.path().to_str().unwrap(), aws(folder.path(), "none"));
    let words = ["--public", "--regions=eu-west-1", "--arch=amd64", "--force", "--out", out];
    let ended = try_dist(&[&["publish", "--run"], &words[..]].concat(), Some(&programs));
    assert_eq!(ended.stdout, "arn:aws:lambda:eu-west-1:123456789012:layer:hikyaku-amd64:17\n");
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

#[test]
fn publishing_that_fails_in_a_region_says_what_is_published_and_what_is_left_to_do() {
    let folder = packed("layer", "lambda");
    let (out, programs) = (folder.path().to_str().unwrap(), aws(folder.path(), "b"));
    let words = ["publish", "--run", "--public", "--regions=a,b,c", "--arch=amd64", "--force"];
    let ended = try_dist(&[&words[..], &["--out", out]].concat(), Some(&programs));
    assert_eq!(ended.code, Some(1));
    let arn = "arn:aws:lambda:a:123456789012:layer:hikyaku-amd64:17";
    assert_eq!(ended.stdout, format!("{arn}\n"));
    let (before, left) = ended.stderr.split_once("left to do:").unwrap();
    assert!(before.contains("no such region") && before.contains(arn), "{before}");
    // As lines for a shell: they do what is left.
    let calls = programs.join("calls");
    std::fs::remove_file(&calls).unwrap();
    let mut shell = Command::new("sh");
    let path = std::env::var("PATH").unwrap();
    shell.args(["-c", left]).env("PATH", format!("{}:{path}", programs.display()));
    Process::start("sh", shell).wait();
    let calls = std::fs::read_to_string(&calls).unwrap();
    let calls: Vec<(&str, &str)> = calls
        .lines()
        .map(|call| {
            let words: Vec<&str> = call.split(' ').collect();
            (words[1], words[3])
        })
        .collect();
    // In b there is still nobody to let in.
    let (publish, permit) = ("publish-layer-version", "add-layer-version-permission");
    assert_eq!(calls, [(publish, "b"), (publish, "c"), (permit, "c")]);
}
