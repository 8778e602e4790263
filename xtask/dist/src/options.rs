//! What the command line asks for.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::archive::Packing;
use crate::binary::Arch;
use crate::failure::{About, Failure};
use crate::publish::Audience;

const AFTER_HELP: &str = "\
A distribution is a list of components: dist/<name>/components.toml. Without --name, `image` takes `agent`, `layer`,
`base` and `publish` take `lambda`, and without a command everything of both is made.
Artefacts are written to target/dist/<name>/.";

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
    Publish { regions: Vec<String>, layer_name: String, audience: Audience, is_run: bool },
    /// Naming the distributions.
    List,
}

/// Reads the command line; for `--help`, prints it and ends.
pub(crate) fn read() -> Result<Options, Failure> {
    let matches = command().get_matches();
    let (name, of_task) = matches.subcommand().unwrap_or(("", &matches));
    let task = match name {
        "" => Task::Everything,
        "binaries" => Task::Binaries,
        "image" => Task::Image,
        "base" => Task::Base {
            base: one(of_task, "base").unwrap_or_default(),
            is_insecure: of_task.get_flag("insecure"),
        },
        "publish" => Task::Publish {
            regions: many(of_task, "regions"),
            layer_name: one(of_task, "layer-name").unwrap_or_default(),
            audience: match one(of_task, "organization") {
                Some(id) => Audience::Organization(id),
                None if of_task.get_flag("public") => Audience::Everybody,
                None => Audience::Account,
            },
            is_run: of_task.get_flag("run"),
        },
        "list" => Task::List,
        _ => Task::Layer,
    };
    let archs = many(of_task, "arch").into_iter().map(|text| text.parse());
    let archs: Vec<Arch> = archs.collect::<Result<_, String>>().about("--arch")?;
    Ok(Options {
        task,
        name: one(of_task, "name"),
        archs: if archs.is_empty() { Arch::ALL.to_vec() } else { archs },
        out: one(of_task, "out").map(PathBuf::from),
        prebuilt: one(of_task, "prebuilt").map(PathBuf::from),
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
        .arg(value("name", "NAME", "The distribution").global(true))
        .arg(list(value("arch", "ARCHS", "amd64, arm64 or both, which is the default")).global(true))
        .arg(value("out", "FOLDER", "Where to write [target/dist/<name>]").global(true))
        .arg(
            value("prebuilt", "FILE", "Packs this binary as it is and compiles none (one --arch)")
                .requires("arch")
                .global(true),
        )
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
                .arg(
                    value("base", "IMAGE", "docker://…, anything else that skopeo takes, or oci:FOLDER")
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
                .arg(flag("run", "Carries the calls out, and prints the layers' ARNs")),
        )
        .subcommand(Command::new("list").about("Names the distributions there are"))
}

fn one(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.try_get_one::<String>(name).ok().flatten().cloned()
}

fn many(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
}
