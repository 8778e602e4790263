//! What is in the agent's image and in the Lambda layer, file by file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::archive::Packing;
use crate::binary::Arch;
use crate::config::Config;
use crate::failure::Failure;
use crate::image::{Image, Layer};
use crate::project;
use crate::roots;
use crate::tree::{EXECUTABLE, READABLE, Tree};

/// Neither root nor anybody on the host; the number that images without a distribution below them use.
const USER: u32 = 65532;

/// Where the config of the agent's image is.
const CONFIG: &str = "etc/hikyaku/config.yaml";

/// A binary with its papers.
#[derive(Clone, Debug)]
pub(crate) struct Papers {
    pub(crate) arch: Arch,
    pub(crate) binary: Vec<u8>,
    pub(crate) licences: String,
    pub(crate) sbom: Vec<u8>,
}

/// What all artefacts of a distribution have in common.
#[derive(Debug)]
pub(crate) struct Packer<'a> {
    /// What the artefact runs when its user names no config; none for what the binary has built in.
    pub(crate) config: Option<&'a Config>,
    pub(crate) labels: BTreeMap<String, String>,
    /// The date of the source, in the form of RFC 3339.
    pub(crate) date: String,
    pub(crate) packing: Packing,
}

impl Packer<'_> {
    /// The agent's image: files that seldom change, and those of this version.
    pub(crate) fn image_trees(&self, papers: &Papers) -> [Tree; 2] {
        let mut system = Tree::default();
        let line = |name: &str, id: u32| format!("{name}:x:{id}:{id}:{name}:/:/sbin/nologin\n");
        let users = line("root", 0) + &line("hikyaku", USER);
        system.add("etc/passwd", READABLE, users);
        system.add("etc/group", READABLE, format!("root:x:0:\nhikyaku:x:{USER}:\n"));
        system.add("etc/ssl/certs/ca-certificates.crt", READABLE, roots::pem());
        let mut own = Tree::default();
        own.add("hikyaku", EXECUTABLE, papers.binary.clone());
        if let Some(config) = self.config {
            own.add(CONFIG, READABLE, config.text.as_str());
        }
        add_papers(&mut own, "usr/share/doc/hikyaku", papers);
        [system, own]
    }

    /// The agent's image.
    pub(crate) fn image(&self, papers: &Papers) -> Result<Image, Failure> {
        let [system, own] = self.image_trees(papers);
        let layers = vec![
            Layer::of(&system, self.packing, "users and certificate authorities")?,
            Layer::of(&own, self.packing, &format!("hikyaku {}", project::VERSION))?,
        ];
        let run = image_run(self.config, &self.labels);
        Ok(Image { arch: papers.arch, layers, run, created: self.date.clone() })
    }

    /// The files of the layer, as they are to be found under `/opt`.
    pub(crate) fn layer_tree(&self, papers: &Papers) -> Tree {
        let mut tree = Tree::default();
        // The platform starts whatever is in this folder, and wants it to register under the file's name.
        tree.add("extensions/hikyaku", EXECUTABLE, papers.binary.clone());
        if let Some(config) = self.config {
            tree.add("collector-config/config.yaml", READABLE, config.text.as_str());
        }
        add_papers(&mut tree, "share/doc/hikyaku", papers);
        tree
    }

    /// An image with the layer's files under `/opt` and nothing else, for `COPY --from`.
    pub(crate) fn opt_image(&self, papers: &Papers) -> Result<Image, Failure> {
        let layers = vec![self.opt_layer(papers)?];
        let run = json!({ "Labels": self.labels });
        Ok(Image { arch: papers.arch, layers, run, created: self.date.clone() })
    }

    /// The layer's files under `/opt`, as a layer of an image.
    pub(crate) fn opt_layer(&self, papers: &Papers) -> Result<Layer, Failure> {
        let tree = self.layer_tree(papers).below("opt");
        Layer::of(
            &tree,
            self.packing,
            &format!("the Lambda extension hikyaku {}", project::VERSION),
        )
    }

    /// What people who download a binary alone get.
    pub(crate) fn archive_tree(&self, papers: &Papers) -> Result<Tree, Failure> {
        let mut tree = Tree::default();
        tree.add("hikyaku", EXECUTABLE, papers.binary.clone());
        let unit = project::root().join("dist/examples/systemd/hikyaku.service");
        tree.add_file("hikyaku.service", READABLE, &unit)?;
        if let Some(config) = self.config {
            tree.add("config.yaml", READABLE, config.text.as_str());
        }
        add_papers(&mut tree, "doc", papers);
        Ok(tree.below(&format!("hikyaku-{}", project::VERSION)))
    }
}

/// How a container of the agent's image runs. `dist/Dockerfile` says the same of a config with a page for health checks.
fn image_run(config: Option<&Config>, labels: &BTreeMap<String, String>) -> Value {
    let path = format!("/{CONFIG}");
    let command: Vec<&str> = if config.is_some() { vec!["--config", &path] } else { Vec::new() };
    let seconds = |count: u64| count * 1_000_000_000;
    let mut ports = vec!["4317/tcp", "4318/tcp"];
    let mut run = BTreeMap::from([
        ("User", json!(format!("{USER}:{USER}"))),
        ("Env", json!(["PATH=/"])),
        ("Entrypoint", json!(["/hikyaku"])),
        ("Cmd", json!(command)),
        ("WorkingDir", json!("/")),
        ("StopSignal", json!("SIGTERM")),
        ("Labels", json!(labels)),
    ]);
    // A check of what is not there would call every container unhealthy, and have it ended.
    if config.is_some_and(Config::has_health_check) {
        ports.push("13133/tcp");
        // Not of the OCI specification, which lets it stand; Docker carries it out, Amazon ECS wants it in the task definition.
        let check = json!({
            // By address: it reads no config, so that it holds for any that has the health_check extension at its own port.
            "Test": ["CMD", "/hikyaku", "healthcheck", "--endpoint", "localhost:13133"],
            "Interval": seconds(10),
            "Timeout": seconds(5),
            "StartPeriod": seconds(5),
            "Retries": 3,
        });
        run.insert("Healthcheck", check);
    }
    let ports: BTreeMap<&str, Value> = ports.into_iter().map(|port| (port, json!({}))).collect();
    run.insert("ExposedPorts", json!(ports));
    json!(run)
}

fn add_papers(tree: &mut Tree, folder: &str, papers: &Papers) {
    tree.add(&format!("{folder}/LICENCES.txt"), READABLE, papers.licences.clone());
    tree.add(&format!("{folder}/sbom.cdx.json"), READABLE, papers.sbom.clone());
}

#[cfg(test)]
mod tests;
