//! What the command line asks for.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::archive::Packing;
use crate::binary::Arch;
use crate::failure::{About, Failure};
use crate::publish::{self, Audience};

const AFTER_HELP: &str = "\
A distribution is a list of components: dist/<name>/components.toml. Without --name, `image` takes `agent`, `layer`,
`base` and `publish` take `lambda`, and without a command everything of both is made.
Artefacts are written to target/dist/<name>/.";

const AFTER_BASE: &str = "\
The layout holds an image for each --arch. It is for FROM in functions' own Dockerfiles; a function that is to run it as it is needs
one architecture by itself, since Lambda refuses lists of several: `skopeo --override-arch arm64 copy`, without --all.";

/// The command line, read.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) task: Task,
    /// The distribution; none for the task's own.
    pub(crate) name: Option<String>,
    pub(crate) archs: Vec<Arch>,
    /// The folder for artefacts; none for that of the distribution below the target folder.
    pub(crate) out: Option<PathBuf>,
    /// A binary to pack in the place of one that is compiled.
    pub(crate) prebuilt: Option<PathBuf>,
    /// Whether that binary may link libraries, which it does not find in an image: for tests.
    pub(crate) is_dynamic: bool,
    pub(crate) packing: Packing,
    /// Where the source can be had, for labels.
    pub(crate) url: Option<String>,
}

/// What to make.
#[derive(Debug)]
pub(crate) enum Task {
    /// Everything that distributions are made for.
    Everything,
    /// Binaries alone.
    Binaries,
    /// The agent's image.
    Image,
    /// The layer, and the image for `COPY --from`.
    Layer,
    /// An image for functions on top of a base.
    Base { base: String, is_insecure: bool },
    /// Publishing the layer that was made.
    Publish {
        regions: Vec<String>,
        layer_name: String,
        audience: Audience,
        is_run: bool,
        is_forced: bool,
    },
    /// Naming the distributions.
    List,
}

impl Options {
    /// The command that makes the layer that these options would publish.
    pub(crate) fn layer_command(&self) -> String {
        let mut words = ["cargo", "xtask", "dist", "layer"].map(str::to_owned).to_vec();
        let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
        if let Some(name) = &self.name {
            add("--name", name.clone());
        }
        if self.archs.len() < Arch::ALL.len() {
            let names: Vec<&str> = self.archs.iter().map(|arch| arch.name()).collect();
            add("--arch", names.join(","));
        }
        if let Some(out) = &self.out {
            add("--out", out.display().to_string());
        }
        publish::shell(&words)
    }
}

/// Reads the command line; for `--help`, prints it and ends.
pub(crate) fn read() -> Result<Options, Failure> {
    of(&command().get_matches())
}

fn of(matches: &ArgMatches) -> Result<Options, Failure> {
    let (name, of_task) = matches.subcommand().unwrap_or(("", matches));
    let task = match name {
        "" => Task::Everything,
        "binaries" => Task::Binaries,
        "image" => Task::Image,
        "base" => Task::Base {
            base: one(of_task, "base").unwrap_or_default(),
            is_insecure: of_task.get_flag("insecure"),
        },
        "publish" => Task::Publish {
            regions: named(of_task, "regions")?,
            layer_name: one(of_task, "layer-name").unwrap_or_default(),
            audience: match one(of_task, "organization") {
                Some(id) => Audience::Organization(id),
                None if of_task.get_flag("public") => Audience::Everybody,
                None => Audience::Account,
            },
            is_run: of_task.get_flag("run"),
            is_forced: of_task.get_flag("force"),
        },
        "list" => Task::List,
        _ => Task::Layer,
    };
    let mut archs = Vec::new();
    for text in many(of_task, "arch") {
        // It has two names.
        let arch = text.parse::<Arch>().about("--arch")?;
        if !archs.contains(&arch) {
            archs.push(arch);
        }
    }
    Ok(Options {
        task,
        name: one(of_task, "name"),
        archs: if archs.is_empty() { Arch::ALL.to_vec() } else { archs },
        out: one(of_task, "out").map(PathBuf::from),
        prebuilt: one(of_task, "prebuilt").map(PathBuf::from),
        is_dynamic: of_task.get_flag("dynamic"),
        packing: match of_task.get_flag("uncompressed") {
            true => Packing::Quick,
            false => Packing::Small,
        },
        url: one(of_task, "url"),
    })
}

fn command() -> Command {
    let value = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
    };
    let list = |arg: Arg| arg.value_delimiter(',').action(ArgAction::Append);
    Command::new("cargo xtask dist")
        .about("Makes what people run: static binaries, images, Lambda layers")
        .after_help(AFTER_HELP)
        .disable_help_subcommand(true)
        .arg(value("name", "NAME", "The distribution: a folder of dist/, or the path of one elsewhere").global(true))
        .arg(list(value("arch", "ARCHS", "amd64, arm64 or both, which is the default")).global(true))
        .arg(value("out", "FOLDER", "Where to write [target/dist/<name>]").global(true))
        .arg(
            value("prebuilt", "FILE", "Packs this static binary and compiles none (one --arch)")
                .requires("arch")
                .global(true),
        )
        .arg(flag("dynamic", "Packs a prebuilt binary that links libraries, too").hide(true).global(true))
        .arg(flag("uncompressed", "Leaves archives uncompressed: quick, for trying").global(true))
        .arg(value("url", "URL", "Where the source can be had, for the images' labels").global(true))
        .subcommand(Command::new("binaries").about("Static binaries alone"))
        .subcommand(Command::new("image").about("The agent's image: OCI layout, docker archives, build context"))
        .subcommand(
            Command::new("layer")
                .alias("lambda")
                .about("The Lambda layer's zip files, and an image with /opt for COPY --from"),
        )
        .subcommand(
            Command::new("base")
                .about("An image for Lambda functions: a base of your own with the extension in it")
                .after_help(AFTER_BASE)
                .arg(
                    value("base", "IMAGE", "docker://…, anything else that skopeo takes, or oci:FOLDER:TAG")
                        .required(true),
                )
                .arg(flag("insecure", "Lets the base's registry speak plain HTTP")),
        )
        .subcommand(
            Command::new("publish")
                .about("Prints the AWS calls that publish the layer made before, or with --run carries them out")
                .arg(list(value("regions", "REGIONS", "Where to publish").required(true)))
                .arg(
                    value("layer-name", "NAME", "The layer's name, without the architecture")
                        .default_value("hikyaku"),
                )
                .arg(flag("public", "Everybody may use it"))
                .arg(
                    value("organization", "ID", "The accounts of an organization may use it")
                        .conflicts_with("public"),
                )
                .arg(flag("run", "Carries the calls out, and prints the layers' ARNs"))
                .arg(flag("force", "Publishes what had better not be: of uncommitted changes, uncompressed, or prebuilt")),
        )
        .subcommand(Command::new("list").about("Names the distributions there are"))
}

fn one(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.try_get_one::<String>(name).ok().flatten().cloned()
}

/// What a list names: each once, without the blanks around it.
fn many(matches: &ArgMatches, name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in matches.get_many::<String>(name).into_iter().flatten() {
        let text = text.trim();
        if !text.is_empty() && !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    }
    found
}

/// The same for a list that names something.
fn named(matches: &ArgMatches, name: &str) -> Result<Vec<String>, Failure> {
    let found = many(matches, name);
    if found.is_empty() {
        return Err(Failure::new(format!("--{name} is empty")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options, Failure> {
        of(&command().get_matches_from([&["dist"], words].concat()))
    }

    #[test]
    fn lists_are_taken_with_blanks_and_hold_each_thing_once() {
        let words =
            ["publish", "--regions", "a, b,a,", "--regions", " c", "--arch", "amd64,x86_64"];
        let options = read(&words).unwrap();
        assert_eq!(options.archs, [Arch::Amd64]);
        let Task::Publish { regions, .. } = options.task else { panic!("{:?}", options.task) };
        assert_eq!(regions, ["a", "b", "c"]);
        assert_eq!(read(&["layer", "--arch", " arm64 ,arm64"]).unwrap().archs, [Arch::Arm64]);
        assert_eq!(read(&["layer"]).unwrap().archs, Arch::ALL);
        assert!(read(&["publish", "--regions", " ,"]).unwrap_err().to_string().contains("regions"));
    }

    #[test]
    fn the_command_for_a_layer_has_what_was_said_of_it() {
        let words = ["publish", "--regions=a", "--name=mine", "--arch=arm64", "--out=my folder"];
        assert_eq!(
            read(&words).unwrap().layer_command(),
            "cargo xtask dist layer --name mine --arch arm64 --out 'my folder'"
        );
        assert_eq!(read(&words[..2]).unwrap().layer_command(), "cargo xtask dist layer");
    }
}
