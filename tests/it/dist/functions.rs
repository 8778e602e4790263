//! The extension where functions run: as a layer unpacked at `/opt`, and in images, in AWS's own emulator.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tests::engine::{Engine, mounts};
use tests::lambda::EmulatorSetup;
use tests::otlp::OtlpBackend;
use tests::parts::{Sdk, project};
use tests::process::Process;
use tests::spans::SpanId;
use tests::{ports, send, wait};

use super::containers::push;
use super::{made, packing};

fn yaml(http: u16, backend: &OtlpBackend) -> String {
    format!(
        "receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: 'localhost:{http}' }} }} }} }}
exporters: {{ otlphttp: {{ endpoint: 'http://localhost:{}' }} }}
service: {{ pipelines: {{ traces: {{ receivers: [otlp], exporters: [otlphttp] }} }} }}
",
        backend.port()
    )
}

/// The extension is the one that a developer builds: it links this machine's C library, and is otherwise the one that is shipped.
#[test]
fn the_extension_that_was_built_works_from_a_layer_that_was_zipped_and_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let [binary, out, opt] = ["hikyaku-lambda", "out", "opt"].map(|name| folder.path().join(name));
    // Half of it are names for debuggers, which take as long to pack as the rest.
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&binary).arg(tests::lambda::binary());
    assert_eq!(Process::start("strip", strip).wait().code, Some(0));
    let arch = packing::host();
    packing::dist(&[
        "layer",
        "--prebuilt",
        binary.to_str().unwrap(),
        "--dynamic",
        "--uncompressed",
        "--arch",
        arch,
        "--out",
        out.to_str().unwrap(),
    ]);
    packing::unzip(&out.join(format!("hikyaku-lambda-{arch}.zip")), &opt);
    packing::assert_layer(&opt);
    delivers(&opt, folder.path());
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn the_zip_unpacked_at_opt_delivers_a_functions_spans() {
    let folder = tempfile::tempdir().unwrap();
    let opt = folder.path().join("opt");
    let mut unzip = Command::new("unzip");
    unzip.arg("-q").arg(made("lambda/hikyaku-lambda-amd64.zip")).arg("-d").arg(&opt);
    assert_eq!(Process::start("unzip", unzip).wait().code, Some(0));
    delivers(&opt, folder.path());
}

/// Has a function with a layer make spans, and makes sure that they arrive.
fn delivers(opt: &Path, folder: &Path) {
    let (backend, http) = (OtlpBackend::start(), ports::free());
    let config = folder.join("collector.yaml");
    std::fs::write(&config, yaml(http, &backend)).unwrap();
    let emulator = EmulatorSetup::new(Sdk::Node, http, "")
        .layer(opt)
        .variable("OPENTELEMETRY_COLLECTOR_CONFIG_URI", config.to_str().unwrap())
        .start();
    let reply = emulator.invoke(&json!({ "do": "answer", "spans": 3 }));
    assert_eq!(reply.status, 200, "{reply:?}");
    let ids = reply.spans();
    let ended = emulator.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    backend.assert_delivered_once(&ids);
}

/// A base as AWS's are: an entry point that starts the emulator, and a runtime. The programs are this machine's.
fn base(engine: &Engine) -> String {
    let bootstrap = engine.folder().join("bootstrap");
    std::fs::write(&bootstrap, "#!/bin/sh\nexec node /project/tests/clients/lambda/function.cjs\n")
        .unwrap();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&bootstrap, everybody).unwrap();
    let emulator = project().join(".parts/emulator/aws-lambda-rie");
    let files: [(&Path, &str); 2] =
        [(&emulator, "lambda/aws-lambda-rie"), (&bootstrap, "lambda/bootstrap")];
    engine.push_host_image("base", &files, r#"["/lambda/aws-lambda-rie"]"#)
}

/// Runs a function of an image, has it make spans, and makes sure that they arrive.
fn works(engine: &Engine, image: &str) {
    let (backend, http) = (OtlpBackend::start(), ports::free());
    let (front, api) = (ports::free(), ports::free());
    let mounts = mounts();
    let mounts: Vec<&str> = mounts.iter().map(String::as_str).collect();
    let variables = [
        format!("--env=OPENTELEMETRY_COLLECTOR_CONFIG_URI=yaml:{}", yaml(http, &backend)),
        format!("--env=OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:{http}/v1/traces"),
        "--env=NODE_PATH=/project/.parts/node/node_modules".to_owned(),
    ];
    let addresses = [
        format!("--runtime-interface-emulator-address=127.0.0.1:{front}"),
        format!("--runtime-api-address=127.0.0.1:{api}"),
    ];
    let mut words = mounts;
    words.push("--network=host");
    words.extend(variables.iter().map(String::as_str));
    words.push(image);
    words.extend(addresses.iter().map(String::as_str));
    words.extend(["/lambda/bootstrap", "function.handler"]);
    let container = engine.container("function", &words);
    wait::until("the emulator to listen", || {
        assert_eq!(container.field(".State.Running"), "true", "{}", container.log());
        ports::is_taken(front).then_some(())
    });
    let path = "/2015-03-31/functions/function/invocations";
    let reply = send::http(front, path, &[], json!({ "spans": 4 }).to_string());
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    let reply: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text} {}", container.log()));
    let ids: Vec<SpanId> = reply["spans"]
        .as_array()
        .unwrap_or_else(|| panic!("{reply} {}", container.log()))
        .iter()
        .map(|id| u64::from_str_radix(id.as_str().unwrap(), 16).unwrap().to_be_bytes())
        .collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(container.ask(&["stop", "--time", "10"]).code, Some(0));
    backend.assert_delivered_once(&ids);
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn a_function_image_that_copies_opt_from_ours_delivers_its_spans() {
    let engine = Engine::start();
    let (base, extension) = (base(&engine), push(&engine, "lambda/opt-image", "hikyaku-lambda"));
    let file = engine.folder().join("Dockerfile");
    std::fs::write(&file, format!("FROM {base}\nCOPY --from={extension} /opt /opt\n")).unwrap();
    let (file, context) = (file.display().to_string(), engine.folder().display().to_string());
    let words =
        ["bud", "--quiet", "--platform=linux/amd64", "--tag=function", "--file", &file, &context];
    engine.run("buildah", words);
    works(&engine, "localhost/function");
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn a_base_with_the_extension_in_it_runs_functions_with_nothing_copied() {
    let engine = Engine::start();
    let base = format!("docker://{}", base(&engine));
    let out = engine.folder().join("out");
    let binary = made("lambda/amd64/hikyaku-lambda").display().to_string();
    packing::dist(&[
        "base",
        "--base",
        &base,
        "--insecure",
        "--arch=amd64",
        "--uncompressed",
        "--prebuilt",
        &binary,
        "--out",
        out.to_str().unwrap(),
    ]);
    let layout = format!("oci:{}:{}", out.join("base-image").display(), env!("CARGO_PKG_VERSION"));
    let name = engine.name("function-base:1");
    let target = format!("docker://{name}");
    engine.run("skopeo", ["copy", "--quiet", "--all", "--dest-tls-verify=false", &layout, &target]);
    works(&engine, &name);
}
