//! The real parts that the black-box tests run against: the Python and Node SDKs of OpenTelemetry and of X-Ray, a Zipkin server, moto, which is a
//! double of AWS, AWS's emulator of a Lambda environment, the checkers of published schemas, and HashiCorp's parser. Beside them, for who names it,
//! what compiles for other machines.
//!
//! The X-Ray SDKs are parts of their own, so that they and the OpenTelemetry SDKs do not share pins.
//!
//! Each part is a folder under `.parts/`. Its stamp file is written last and holds everything the part was made from, so a
//! second run costs a comparison, a changed pin makes the part anew, and a half-made part is never taken for a whole one.
//! A part that cannot be made is a failure: the tests that need it are not skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::command::{Failure, run_quietly};
use crate::tools::{self, Tool};

const STAMP: &str = "made-from";

/// In-memory storage and the query API are all that the tests need, so the smaller of the two server jars.
const ZIPKIN: &str = "io.zipkin:zipkin-server:3.5.1:jar:slim";
const ZIPKIN_FILE: &str = "zipkin-server-3.5.1-slim.jar";
const MAVEN_COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";

/// One thing to be set up.
struct Part {
    name: &'static str,
    /// Files below the project's folder whose content decides whether the part is up to date.
    made_from: &'static [&'static str],
    /// What else decides: a pinned version.
    pin: &'static str,
    make: fn(root: &Path, folder: &Path) -> Result<(), Failure>,
    /// What makes it, and what it runs on.
    tools: &'static [Tool],
    /// Whether the tests need it.
    is_for_tests: bool,
}

const PARTS: &[Part] = &[
    Part {
        name: "python",
        made_from: &["tests/clients/python/requirements.txt"],
        pin: "",
        make: make_python,
        tools: &[tools::PYTHON],
        is_for_tests: true,
    },
    Part {
        name: "node",
        made_from: &[
            "tests/clients/node/package.json",
            "tests/clients/node/package-lock.json",
            "tests/clients/node/.npmrc",
        ],
        pin: "",
        make: make_node,
        tools: &[tools::NODE, tools::NPM],
        is_for_tests: true,
    },
    Part {
        name: "zipkin",
        made_from: &[],
        pin: ZIPKIN,
        make: make_zipkin,
        tools: &[tools::JAVA, tools::MAVEN],
        is_for_tests: true,
    },
    Part {
        name: "xray-python",
        made_from: &["tests/clients/xray-python/requirements.txt"],
        pin: "",
        make: make_xray_python,
        tools: &[tools::PYTHON],
        is_for_tests: true,
    },
    Part {
        name: "xray-node",
        made_from: &[
            "tests/clients/xray-node/package.json",
            "tests/clients/xray-node/package-lock.json",
            "tests/clients/xray-node/.npmrc",
        ],
        pin: "",
        make: make_xray_node,
        tools: &[tools::NODE, tools::NPM],
        is_for_tests: true,
    },
    Part {
        name: "moto",
        made_from: &["tests/clients/moto/requirements.txt"],
        pin: "",
        make: make_moto,
        tools: &[tools::PYTHON],
        is_for_tests: true,
    },
    Part {
        name: "schemas",
        made_from: &["tests/clients/schemas/requirements.txt"],
        pin: "",
        make: make_schemas,
        tools: &[tools::PYTHON],
        is_for_tests: true,
    },
    Part {
        name: "hcl",
        made_from: &[
            "tests/clients/hcl/go.mod",
            "tests/clients/hcl/go.sum",
            "tests/clients/hcl/main.go",
            "tests/clients/hcl/requirements.txt",
        ],
        pin: "",
        make: make_hcl,
        tools: &[tools::PYTHON],
        is_for_tests: true,
    },
    Part {
        name: "cross",
        made_from: &["xtask/dist/requirements.txt"],
        pin: "",
        make: make_cross,
        tools: &[tools::PYTHON],
        is_for_tests: false,
    },
    Part {
        name: "emulator",
        made_from: &["tests/clients/lambda/requirements.txt"],
        pin: "",
        make: make_emulator,
        tools: &[tools::PYTHON],
        is_for_tests: true,
    },
];

/// Makes the named parts, or those that the tests need, where they are missing or out of date, all of them at once.
pub(crate) fn set_up(root: &Path, names: &[String]) -> Result<(), Failure> {
    let known: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let known = known.join(", ");
        return Err(Failure::new(format!("there is no part {unknown:?}; there are {known}")));
    }
    let mut stale = Vec::new();
    let is_wanted = |part: &&Part| match names {
        [] => part.is_for_tests,
        names => names.iter().any(|name| name == part.name),
    };
    for part in PARTS.iter().filter(is_wanted) {
        let stamp = part.stamp(root)?;
        if fs::read_to_string(part.folder(root).join(STAMP)).ok().as_ref() != Some(&stamp) {
            stale.push((part, stamp));
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let mut needed: Vec<Tool> = stale.iter().flat_map(|(part, _)| part.tools).copied().collect();
    if names.is_empty() {
        needed.extend(tools::OF_TESTS);
    }
    tools::require(&needed)?;
    let failures = std::thread::scope(|scope| {
        let making: Vec<_> = stale
            .iter()
            .map(|(part, stamp)| (part.name, scope.spawn(|| part.make_anew(root, stamp))))
            .collect();
        making
            .into_iter()
            .filter_map(|(name, thread)| match thread.join() {
                Ok(made) => made.err(),
                Err(_) => Some(Failure::new(format!("making the part {name} panicked"))),
            })
            .collect()
    });
    Failure::joined(failures)
}

impl Part {
    fn folder(&self, root: &Path) -> PathBuf {
        root.join(".parts").join(self.name)
    }

    fn stamp(&self, root: &Path) -> Result<String, Failure> {
        let mut stamp = format!("{}\n", self.pin);
        for name in self.made_from {
            stamp.push_str(&fs::read_to_string(root.join(name)).map_err(io_failure(name))?);
        }
        Ok(stamp)
    }

    fn make_anew(&self, root: &Path, stamp: &str) -> Result<(), Failure> {
        let started = Instant::now();
        println!("parts: setting up {}", self.name);
        let folder = self.folder(root);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(io_failure(self.name))?;
        }
        fs::create_dir_all(&folder).map_err(io_failure(self.name))?;
        (self.make)(root, &folder).map_err(|failure| {
            Failure::new(format!(
                "the part {} could not be set up; the tests need it. {failure}",
                self.name
            ))
        })?;
        fs::write(folder.join(STAMP), stamp).map_err(io_failure(self.name))?;
        println!("parts: {} is ready after {:.0} s", self.name, started.elapsed().as_secs_f64());
        Ok(())
    }
}

fn make_python(root: &Path, folder: &Path) -> Result<(), Failure> {
    make_venv(folder, &root.join("tests/clients/python/requirements.txt"))
}

fn make_xray_python(root: &Path, folder: &Path) -> Result<(), Failure> {
    make_venv(folder, &root.join("tests/clients/xray-python/requirements.txt"))
}

fn make_moto(root: &Path, folder: &Path) -> Result<(), Failure> {
    make_venv(folder, &root.join("tests/clients/moto/requirements.txt"))
}

fn make_schemas(root: &Path, folder: &Path) -> Result<(), Failure> {
    make_venv(folder, &root.join("tests/clients/schemas/requirements.txt"))
}

fn make_cross(root: &Path, folder: &Path) -> Result<(), Failure> {
    make_venv(folder, &root.join("xtask/dist/requirements.txt"))
}

fn make_venv(folder: &Path, requirements: &Path) -> Result<(), Failure> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder);
    run_quietly(venv)?;
    let mut pip = Command::new(folder.join("bin").join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"])
        .arg(requirements);
    run_quietly(pip).map(drop)
}

/// Compiles a program that asks HashiCorp's parser, which is a library for Go. Go comes as a package of Python's, whatever the machine has, and
/// goes when the program is there.
fn make_hcl(root: &Path, folder: &Path) -> Result<(), Failure> {
    let client = root.join("tests/clients/hcl");
    let making = folder.join("making");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(&making);
    run_quietly(venv)?;
    let mut pip = Command::new(making.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "--target"])
        .arg(making.join("packages"))
        .arg("--requirement")
        .arg(client.join("requirements.txt"));
    run_quietly(pip)?;
    let mut go = Command::new(making.join("packages/go/bin/go"));
    go.args(["build", "-trimpath", "-buildvcs=false", "-ldflags=-s", "-o"])
        .arg(folder.join("hcl"))
        .current_dir(client)
        .env_remove("GOROOT")
        .env("GOPATH", making.join("gopath"))
        .env("GOMODCACHE", making.join("modules"))
        .env("GOCACHE", making.join("cache"))
        // What is fetched has to be what go.sum says, and may be deleted.
        .env("GOFLAGS", "-mod=readonly -modcacherw")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0");
    run_quietly(go)?;
    fs::remove_dir_all(&making).map_err(io_failure("making"))
}

/// The wheel is an archive that holds the emulator as a file; nothing of it is installed.
fn make_emulator(root: &Path, folder: &Path) -> Result<(), Failure> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"])
        .args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest"])
        .arg(folder)
        .arg("--requirement")
        .arg(root.join("tests/clients/lambda/requirements.txt"));
    run_quietly(pip)?;
    let mut unpack = Command::new("python3");
    unpack.args(["-c", UNPACK_EMULATOR, emulator_architecture()?]).current_dir(folder);
    run_quietly(unpack).map(drop)
}

/// Takes the one file out of the wheel, which is not needed any more then.
const UNPACK_EMULATOR: &str = "\
import glob, os, sys, zipfile
[wheel] = glob.glob('*.whl')
member = f'samcli/local/rapid/aws-lambda-rie-{sys.argv[1]}'
with zipfile.ZipFile(wheel) as archive, open('aws-lambda-rie', 'wb') as emulator:
    emulator.write(archive.read(member))
os.chmod('aws-lambda-rie', 0o755)
os.remove(wheel)
";

fn emulator_architecture() -> Result<&'static str, Failure> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("x86_64"),
        "aarch64" => Ok("arm64"),
        other => Err(Failure::new(format!("there is no emulator of Lambda for {other}"))),
    }
}

fn make_node(root: &Path, folder: &Path) -> Result<(), Failure> {
    install_node(&root.join("tests/clients/node"), folder)
}

fn make_xray_node(root: &Path, folder: &Path) -> Result<(), Failure> {
    install_node(&root.join("tests/clients/xray-node"), folder)
}

/// Installs what a lock file says.
fn install_node(client: &Path, folder: &Path) -> Result<(), Failure> {
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        let from = client.join(name);
        fs::copy(&from, folder.join(name)).map_err(io_failure(name))?;
    }
    let mut npm = Command::new("npm");
    npm.arg("ci").current_dir(folder);
    run_quietly(npm).map(drop)
}

fn make_zipkin(_root: &Path, folder: &Path) -> Result<(), Failure> {
    let mut maven = Command::new("mvn");
    maven
        .args(["--batch-mode", "--quiet", "--strict-checksums", MAVEN_COPY])
        .arg(format!("-Dartifact={ZIPKIN}"))
        .arg(format!("-DoutputDirectory={}", folder.display()));
    run_quietly(maven)?;
    fs::rename(folder.join(ZIPKIN_FILE), folder.join("server.jar")).map_err(io_failure(ZIPKIN_FILE))
}

fn io_failure(what: &str) -> impl Fn(std::io::Error) -> Failure {
    move |error| Failure::new(format!("{what}: {error}"))
}
