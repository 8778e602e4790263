//! The agent's image where people run it: pulled from a registry, in a small container without rights, beside an application.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::engine::{Engine, mounts};
use tests::otlp::OtlpBackend;
use tests::parts::{Account, project};
use tests::spans::SpanId;
use tests::{ports, wait};

use super::made;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Pushes an image that was made, as its users do, and returns its name in the registry, by digest.
pub(super) fn push(engine: &Engine, layout: &str, name: &str) -> String {
    let folder = made(layout);
    let target = format!("docker://{}", engine.name(&format!("{name}:{VERSION}")));
    let source = format!("oci:{}:{VERSION}", folder.display());
    engine.run("skopeo", ["copy", "--quiet", "--all", "--dest-tls-verify=false", &source, &target]);
    let digest = std::fs::read_to_string(folder.with_extension("digest")).unwrap();
    engine.name(&format!("{name}@{}", digest.trim()))
}

/// The ids of the spans that an SDK says it has sent.
fn sent(account: &str) -> Vec<SpanId> {
    let account: Account = serde_json::from_str(account).unwrap();
    let id = |text: &str| u64::from_str_radix(text, 16).unwrap().to_be_bytes();
    account.spans.iter().map(|span| id(&span.span_id)).collect()
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn a_registry_has_both_architectures_under_the_digest_that_was_told() {
    let engine = Engine::start();
    let image = push(&engine, "agent/image", "hikyaku");
    for arch in ["amd64", "arm64"] {
        let name = format!("docker://{image}");
        let words = ["inspect", "--raw", "--config", "--tls-verify=false", &name];
        let found = engine.run("skopeo", ["--override-arch", arch].into_iter().chain(words));
        let config: Value = serde_json::from_str(&found).unwrap();
        assert_eq!(config["architecture"], arch);
        assert_eq!(config["config"]["User"], "65532:65532");
        let labels = &config["config"]["Labels"];
        assert_eq!(labels["org.opencontainers.image.version"], VERSION);
    }
}

/// An application with a real SDK in the network of a container that has a sixteenth of a gigabyte and a quarter of a processor.
#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn a_small_read_only_sidecar_takes_an_sdks_spans_and_loses_none_when_it_is_stopped() {
    let engine = Engine::start();
    let image = push(&engine, "agent/image", "hikyaku");
    let app = engine.push_host_image("app", &[], r#"["/usr/bin/env"]"#);
    let backend = OtlpBackend::start();
    let (grpc, http, health) = (ports::free(), ports::free(), ports::free());
    // A batch that is not sent by itself: what arrives was sent on the way out.
    let yaml = format!(
        "extensions: {{ health_check: {{ endpoint: 'localhost:{health}' }} }}
receivers: {{ otlp: {{ protocols: {{ grpc: {{ endpoint: 'localhost:{grpc}' }}, http: {{ endpoint: 'localhost:{http}' }} }} }} }}
processors: {{ batch: {{ timeout: 1h }} }}
exporters: {{ otlp: {{ endpoint: 'localhost:{}', tls: {{ insecure: true }} }} }}
service:
  extensions: [health_check]
  telemetry: {{ metrics: {{ level: none }} }}
  pipelines: {{ traces: {{ receivers: [otlp], processors: [batch], exporters: [otlp] }} }}
",
        backend.port()
    );
    let variable = format!("HIKYAKU_CONFIG={yaml}");
    let sidecar = engine.container(
        "hikyaku",
        &[
            "--network=host",
            "--memory=64m",
            "--cpus=0.25",
            "--read-only",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--env",
            &variable,
            &image,
            "--config=env:HIKYAKU_CONFIG",
        ],
    );
    let endpoint = format!("localhost:{health}");
    wait::until("the sidecar's health check to be content", || {
        let words = ["exec", "hikyaku", "/hikyaku", "healthcheck", "--endpoint", &endpoint];
        (engine.try_run("podman", words).code == Some(0)).then_some(())
    });
    let mut ids = Vec::new();
    let mounts = mounts();
    let mounts: Vec<&str> = mounts.iter().map(String::as_str).collect();
    for (protocol, endpoint) in [
        ("grpc", format!("http://localhost:{grpc}")),
        ("http", format!("http://localhost:{http}/v1/traces")),
        ("json", format!("http://localhost:{http}/v1/traces")),
    ] {
        let journey = ["node", "/project/tests/clients/node/journey.cjs", protocol, &endpoint];
        let beside =
            ["--network=container:hikyaku", "--env=NODE_PATH=/project/.parts/node/node_modules"];
        let words = [&mounts[..], &beside, &[app.as_str()], &journey].concat();
        ids.extend(sent(&engine.run_container(&words)));
    }
    assert!(ids.len() > 10 && backend.requests().is_empty());
    let ended = sidecar.ask(&["stop", "--time", "30"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(sidecar.field(".State.ExitCode"), "0", "{}", sidecar.log());
    assert!(sidecar.log().contains("Shutdown complete"), "{}", sidecar.log());
    backend.assert_delivered_once(&ids);
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn the_health_check_of_dockers_form_is_content_and_notices_a_process_that_stands_still() {
    let engine = Engine::start();
    let archive = made("agent/image-amd64.docker.tar").display().to_string();
    engine.run("podman", ["load", "--quiet", "--input", &archive]);
    let image = format!("localhost/hikyaku-agent:{VERSION}");
    // With the image's own config, which listens at every address of a network that has no other.
    let sidecar = engine.container("healthy", &["--network=none", "--read-only", &image]);
    let healthy = || sidecar.ask(&["healthcheck", "run"]).code;
    wait::until("the container to be healthy", || (healthy() == Some(0)).then_some(()));
    let signal = |name: &str| {
        let sent = engine.try_run("podman", ["kill", "--signal", name, "healthy"]);
        assert_eq!(sent.code, Some(0), "{}", sent.stderr);
    };
    signal("STOP");
    assert_eq!(healthy(), Some(1));
    signal("CONT");
    wait::until("the container to be healthy again", || (healthy() == Some(0)).then_some(()));
    // What the log shows are trees for people: the image's default is for a first look.
    assert!(sidecar.log().contains("Everything is ready"), "{}", sidecar.log());
}

#[test]
#[ignore = "`cargo xtask prove dist` makes the artefacts"]
fn the_dockerfile_builds_the_same_files_and_settings() {
    let engine = Engine::start();
    let (file, context) = (project().join("dist/Dockerfile"), made("agent/context"));
    let (file, context) = (file.display().to_string(), context.display().to_string());
    let build = ["bud", "--quiet", "--format=docker", "--platform=linux/amd64", "--tag=built"];
    engine.run("buildah", build.into_iter().chain(["--file", &file, &context]));
    let archive = made("agent/image-amd64.docker.tar").display().to_string();
    engine.run("podman", ["load", "--quiet", "--input", &archive]);
    let ours = format!("localhost/hikyaku-agent:{VERSION}");
    let [built, ours] = ["localhost/built", ours.as_str()].map(|image| {
        let format = "{{json .Config}} {{json .HealthCheck}}";
        let settings = engine.run("podman", ["image", "inspect", "--format", format, image]);
        let mut settings = serde_json::Deserializer::from_str(&settings)
            .into_iter()
            .map(Result::unwrap)
            .collect::<Vec<Value>>();
        // Labels say which source it is of, and which builder.
        settings[0]["Labels"] = json!(null);
        let mounted = engine.run("podman", ["image", "mount", image]);
        (settings, files(Path::new(&mounted)))
    });
    assert_eq!(built.0, ours.0);
    assert_eq!(built.1.keys().collect::<Vec<_>>(), ours.1.keys().collect::<Vec<_>>());
    assert!(built.1 == ours.1, "modes, owners or contents differ");
}

/// Every file below a folder: mode, owner and content.
fn files(root: &Path) -> BTreeMap<PathBuf, (u32, u32, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt as _;

    let (mut found, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let content = match metadata.is_file() {
                true => std::fs::read(&path).unwrap(),
                false => Vec::new(),
            };
            let name = path.strip_prefix(root).unwrap().to_owned();
            found.insert(name, (metadata.mode(), metadata.uid(), content));
            if metadata.is_dir() {
                open.push(path);
            }
        }
    }
    assert!(found.len() > 5, "{root:?} is empty");
    found
}
