//! The programs that the real parts and the proofs need, and how to come by a missing one.

use std::process::Command;

use crate::command::{Failure, run_quietly};

/// A program that must be there in a usable version.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    /// What a person calls it, with the version that is needed.
    name: &'static str,
    /// A call that ends with code 0 only when the version is good enough.
    probe: &'static [&'static str],
    /// What Debian and its descendants call it.
    packages: &'static [&'static str],
}

pub(crate) const PYTHON: Tool = Tool {
    name: "Python 3.10 or newer with venv and pip",
    probe: &["python3", "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"],
    packages: &["python3", "python3-venv"],
};

pub(crate) const NODE: Tool = Tool {
    name: "Node 18.19 or newer",
    probe: &[
        "node",
        "-e",
        "const [a, b] = process.versions.node.split('.').map(Number); \
         process.exit(a > 18 || (a === 18 && b >= 19) ? 0 : 1)",
    ],
    packages: &["nodejs"],
};

pub(crate) const NPM: Tool = tool("npm", &["npm", "--version"], &["npm"]);

pub(crate) const JAVA: Tool = Tool {
    name: "Java 17 or newer",
    // A JVM ends with an error at an unknown option, and version 17 is the first to know this one.
    probe: &["java", "--enable-native-access=ALL-UNNAMED", "-version"],
    packages: &["default-jre-headless"],
};

pub(crate) const MAVEN: Tool = tool("Maven", &["mvn", "--version"], &["maven"]);

/// What tests run beside the parts: networks of their own, in which the addresses of cloud metadata are.
pub(crate) const OF_TESTS: [Tool; 2] = [
    tool("ip (iproute2)", &["ip", "-V"], &["iproute2"]),
    tool("unshare (util-linux)", &["unshare", "-V"], &["util-linux"]),
];

/// What proves that distributions run: containers without a daemon, a registry, and the other architecture.
pub(crate) const OF_PROOFS: [Tool; 7] = [
    tool("podman", &["podman", "--version"], &["podman"]),
    tool("runc", &["runc", "--version"], &["runc"]),
    tool("buildah", &["buildah", "--version"], &["buildah"]),
    tool("skopeo", &["skopeo", "--version"], &["skopeo"]),
    tool("docker-registry", &["docker-registry", "--version"], &["docker-registry"]),
    tool("unzip", &["unzip", "-v"], &["unzip"]),
    tool("qemu-aarch64-static", &["qemu-aarch64-static", "--version"], &["qemu-user-static"]),
];

const fn tool(
    name: &'static str,
    probe: &'static [&'static str],
    packages: &'static [&'static str],
) -> Tool {
    Tool { name, probe, packages }
}

/// Makes sure that these tools are there, installing what is missing where that is ours to do (root, with `apt-get`).
pub(crate) fn require(tools: &[Tool]) -> Result<(), Failure> {
    let mut missing: Vec<&Tool> = tools.iter().filter(|tool| !tool.works()).collect();
    missing.dedup_by_key(|tool| tool.name);
    if missing.is_empty() {
        return Ok(());
    }
    let names = |tools: &[&Tool]| tools.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages).copied().collect();
    if !may_install() {
        return Err(Failure::new(format!(
            "missing: {}; install it and try again (Debian, Ubuntu: apt-get install {})",
            names(&missing),
            packages.join(" ")
        )));
    }
    println!("parts: installing {}", packages.join(" "));
    run_quietly(apt_get(&["update"]))?;
    let install = ["install", "-y", "--no-install-recommends"];
    run_quietly(apt_get(&[install.as_slice(), packages.as_slice()].concat()))?;
    let still: Vec<&Tool> = missing.into_iter().filter(|tool| !tool.works()).collect();
    if still.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "missing: {}, and the system's packages are missing or too old; install it by hand",
        names(&still)
    )))
}

impl Tool {
    fn works(&self) -> bool {
        self.probe.split_first().is_some_and(|(program, arguments)| {
            let mut command = Command::new(program);
            command.args(arguments);
            run_quietly(command).is_ok()
        })
    }
}

fn may_install() -> bool {
    let mut id = Command::new("id");
    id.arg("-u");
    run_quietly(id).is_ok_and(|text| text.trim() == "0") && run_quietly(apt_get(&["-v"])).is_ok()
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
