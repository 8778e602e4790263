//! Containers and a registry on this machine, without a daemon, their state in a folder of its own.
//!
//! podman with runc, since crun refuses machines whose cgroups are of both versions. What a container needs of this machine's programs is mounted
//! from it, so that no image has to come from anywhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Ended, Process};
use crate::{ports, wait};

/// Where containers and images are.
#[derive(Debug)]
pub struct Engine {
    folder: TempDir,
    registry: Process,
    port: u16,
}

/// A container that is removed with this.
#[derive(Debug)]
pub struct Container<'a> {
    engine: &'a Engine,
    name: String,
}

impl Engine {
    /// With an empty registry on the loopback interface.
    ///
    /// # Panics
    ///
    /// When the registry does not start; `cargo xtask prove dist` installs what is missing.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let port = ports::free();
        let base = folder.path().display();
        let files = [
            (
                "storage.conf",
                format!(
                    "[storage]\ndriver = \"vfs\"\ngraphroot = \"{base}/images\"\nrunroot = \"{base}/run\"\n"
                ),
            ),
            (
                "registries.conf",
                format!("[[registry]]\nlocation = \"127.0.0.1:{port}\"\ninsecure = true\n"),
            ),
            (
                "registry.yaml",
                format!(
                    "version: 0.1\nlog: {{ level: error }}\n\
                     storage: {{ filesystem: {{ rootdirectory: {base}/registry }} }}\n\
                     http: {{ addr: \"127.0.0.1:{port}\" }}\n"
                ),
            ),
            ("policy.json", "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}".to_owned()),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(folder.path().join("registry.yaml"));
        let mut registry = Process::start("the registry", command);
        wait::until("the registry to listen", || {
            assert!(registry.is_running(), "{}", registry.account());
            ports::is_taken(port).then_some(())
        });
        Self { folder, registry, port }
    }

    /// A name in the registry.
    pub fn name(&self, image: &str) -> String {
        format!("127.0.0.1:{}/{image}", self.port)
    }

    /// A folder for whatever belongs to this.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs podman, buildah or skopeo on this state and returns what it printed.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn run<W: AsRef<str>>(&self, program: &str, words: impl IntoIterator<Item = W>) -> String {
        let ended = self.try_run(program, words);
        assert_eq!(ended.code, Some(0), "{program}: {}{}", ended.stderr, ended.stdout);
        ended.stdout.trim().to_owned()
    }

    /// The same for what may fail.
    pub fn try_run<W: AsRef<str>>(
        &self,
        program: &str,
        words: impl IntoIterator<Item = W>,
    ) -> Ended {
        let mut command = Command::new(program);
        command.envs(self.variables()).args(self.options(program));
        for word in words {
            command.arg(word.as_ref());
        }
        Process::start(program, command).wait()
    }

    /// The text of a script that stands for a program on this state.
    pub fn script(&self, program: &str) -> String {
        let variables = self.variables().map(|(name, value)| format!("{name}='{value}'"));
        let (variables, options) = (variables.join(" "), self.options(program).join(" "));
        let run = format!("case $1 in run) shift; set -- run {} \"$@\";; esac", LIMITS.join(" "));
        format!("#!/bin/sh\n{run}\nexec env {variables} {program} {options} \"$@\"\n")
    }

    fn variables(&self) -> [(&'static str, String); 4] {
        let base = self.folder().display();
        [
            ("CONTAINERS_STORAGE_CONF", format!("{base}/storage.conf")),
            ("CONTAINERS_REGISTRIES_CONF", format!("{base}/registries.conf")),
            ("BUILDAH_ISOLATION", "chroot".to_owned()),
            ("TMPDIR", base.to_string()),
        ]
    }

    fn options(&self, program: &str) -> Vec<String> {
        let base = self.folder().display();
        match program {
            "podman" => {
                ["--tmpdir".to_owned(), format!("{base}/tmp"), "--runtime=runc".to_owned()].to_vec()
            }
            "skopeo" => ["--policy".to_owned(), format!("{base}/policy.json")].to_vec(),
            _ => Vec::new(),
        }
    }

    /// Starts a container in the background; `words` are options of `podman run`, the image, and its arguments.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn container<'a>(&'a self, name: &str, words: &[&str]) -> Container<'a> {
        let run = ["run", "--detach", "--name", name];
        self.run("podman", [&run, LIMITS, words].concat());
        Container { engine: self, name: name.to_owned() }
    }

    /// Runs a container to its end and returns what it printed.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn run_container(&self, words: &[&str]) -> String {
        self.run("podman", [&["run", "--rm"], LIMITS, words].concat())
    }

    /// Makes an image of these files and of the folders that [`MOUNTS`] are mounted at, and puts it into the registry.
    ///
    /// # Panics
    ///
    /// When a file cannot be copied.
    pub fn push_host_image(&self, name: &str, files: &[(&Path, &str)], entrypoint: &str) -> String {
        let tree = self.folder().join(format!("{name}-files"));
        let copied = MOUNTS
            .iter()
            .map(|mount| tree.join(mount.trim_start_matches('/')))
            .chain([tree.join("tmp")])
            .try_for_each(std::fs::create_dir_all)
            .and_then(|()| {
                files.iter().try_for_each(|(from, to)| {
                    let to = tree.join(to);
                    std::fs::create_dir_all(to.parent().unwrap_or(&tree))?;
                    std::fs::copy(from, to).map(drop)
                })
            });
        copied.unwrap_or_else(|error| panic!("the files of the image {name}: {error}"));
        let archive = self.folder().join(format!("{name}.tar"));
        let (tree, archive) = (tree.to_string_lossy(), archive.to_string_lossy());
        self.run("tar", ["-C", &tree, "--owner=0", "--group=0", "-cf", &archive, "."]);
        let image = self.name(&format!("{name}:1"));
        let change = format!("ENTRYPOINT {entrypoint}");
        self.run("podman", ["import", "--change", &change, &archive, &image]);
        self.run("podman", ["push", "--quiet", &image]);
        image
    }
}

/// Limits that are at or below what any machine's own allow.
const LIMITS: &[&str] = &["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024"];

/// Folders of this machine's programs, which a container with [`mounts`] has as well.
const MOUNTS: &[&str] = &["/usr", "/bin", "/lib", "/lib64"];

/// Options with which a container can run this machine's programs, and see the project at `/project`.
pub fn mounts() -> Vec<String> {
    let project = crate::parts::project().display();
    let mounts = MOUNTS.iter().filter(|folder| PathBuf::from(folder).exists());
    let mounts = mounts.map(|folder| format!("{folder}:{folder}:ro"));
    let mounts = mounts.chain([format!("{project}:/project:ro")]);
    mounts.flat_map(|mount| ["--volume".to_owned(), mount]).collect()
}

impl Container<'_> {
    /// Runs a podman command on it, such as `logs`.
    pub fn ask(&self, words: &[&str]) -> Ended {
        self.engine.try_run("podman", words.iter().copied().chain([self.name.as_str()]))
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        let ended = self.ask(&["logs"]);
        ended.stdout + &ended.stderr
    }

    /// A field of `podman inspect`.
    ///
    /// # Panics
    ///
    /// When there is no such field.
    pub fn field(&self, path: &str) -> String {
        let format = format!("{{{{{path}}}}}");
        let ended = self.ask(&["inspect", "--format", &format]);
        assert_eq!(ended.code, Some(0), "{path}: {}", ended.stderr);
        ended.stdout.trim().to_owned()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _shown = self.engine.try_run("podman", ["logs", &self.name]);
        }
        let _gone = self.engine.try_run("podman", ["rm", "--force", "--time", "1", &self.name]);
    }
}

impl Drop for Engine {
    /// Ends what may still run, so that the folder can go.
    fn drop(&mut self) {
        let _gone = self.try_run("podman", ["rm", "--all", "--force", "--time", "1"]);
        let _registry = self.registry.is_running();
    }
}
