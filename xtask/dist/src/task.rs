//! The tasks: which binaries are compiled, what is packed around them, and what is said about it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::archive;
use crate::base;
use crate::binary::{Arch, Binary};
use crate::budget::{self, Budget, Measured};
use crate::compile::{self, Toolchain};
use crate::config::{Config, Default, Validated};
use crate::contents::{Packer, Papers};
use crate::crates;
use crate::elf;
use crate::failure::{About, Failure};
use crate::image::{self, Image};
use crate::licences;
use crate::oci;
use crate::options::{Options, Task};
use crate::places::{self, Kind, Places};
use crate::project::{self, Source};
use crate::publish::{self, Publication};
use crate::record::Record;
use crate::sbom;
use crate::selection::{self, Distribution};

/// Carries out what the command line asks for.
pub(crate) fn carry_out(options: &Options) -> Result<(), Failure> {
    let named = |own: &str| vec![options.name.clone().unwrap_or_else(|| own.to_owned())];
    let (names, only) = match &options.task {
        Task::List => return list(),
        Task::Everything | Task::Binaries => match &options.name {
            Some(name) => (vec![name.clone()], None),
            None => (vec!["agent".to_owned(), "lambda".to_owned()], None),
        },
        Task::Image => (named("agent"), Some(Binary::Agent)),
        Task::Layer | Task::Base { .. } | Task::Publish { .. } => {
            (named("lambda"), Some(Binary::Lambda))
        }
    };
    let mut excesses = Vec::new();
    for name in names {
        let distribution = Distribution::read(&name)?;
        let workshop = Workshop::open(options, distribution, only)?;
        excesses.extend(workshop.work()?);
    }
    if excesses.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "over the budget of dist/budget.toml (the artefacts are written all the same):\n  {}",
        excesses.join("\n  ")
    )))
}

/// One distribution being made.
struct Workshop<'a> {
    options: &'a Options,
    distribution: Distribution,
    source: Source,
    budget: Budget,
    places: Places,
    binaries: Vec<Binary>,
    /// What artefacts around each binary run by themselves; empty when none are made.
    defaults: BTreeMap<Binary, Default>,
    /// The binary that was handed in.
    prebuilt: Option<Vec<u8>>,
}

/// A binary, its papers, and what it weighs.
struct Product {
    binary: Binary,
    papers: Papers,
    crates: Vec<(String, u64)>,
}

impl<'a> Workshop<'a> {
    fn open(
        options: &'a Options,
        distribution: Distribution,
        only: Option<Binary>,
    ) -> Result<Self, Failure> {
        let binaries: Vec<Binary> = match only {
            None => distribution.binaries.keys().copied().collect(),
            Some(only) if distribution.binaries.contains_key(&only) => vec![only],
            Some(only) => {
                return Err(Failure::new(format!(
                    "{} does not build {}",
                    distribution.shown("components.toml"),
                    only.name()
                )));
            }
        };
        if options.prebuilt.is_some() && (binaries.len() != 1 || options.archs.len() != 1) {
            return Err(Failure::new(
                "--prebuilt is one binary for one --arch: name `image`, `layer` or `base`",
            ));
        }
        let folder = match &options.out {
            Some(out) => out.clone(),
            None => compile::target_folder()?.join("dist").join(&distribution.name),
        };
        let prebuilt = match (&options.prebuilt, options.archs.as_slice()) {
            (Some(path), [arch]) => Some(prebuilt(path, *arch, options.is_dynamic)?),
            _ => None,
        };
        let defaults = defaults(options, &distribution, &binaries)?;
        let (source, places) = (Source::find()?, Places { folder });
        // Before minutes of compiling: it may be wrong.
        let budget = Budget::read()?;
        Ok(Self { options, distribution, source, budget, places, binaries, defaults, prebuilt })
    }

    /// Makes what is asked for, and returns what is over the budget.
    fn work(&self) -> Result<Vec<String>, Failure> {
        if let Task::Publish { .. } = self.options.task {
            self.publish()?;
            return Ok(Vec::new());
        }
        for note in &self.distribution.notes {
            println!("note: {note}");
        }
        let kind = match self.options.task {
            Task::Base { .. } => Kind::OnBase,
            _ => Kind::Artefacts,
        };
        for binary in &self.binaries {
            self.places.clear(*binary, kind)?;
        }
        let products = self.products()?;
        let mut excesses = Vec::new();
        for binary in &self.binaries {
            let of_binary: Vec<&Product> =
                products.iter().filter(|product| product.binary == *binary).collect();
            let packed = match self.defaults.get(binary) {
                Some(default) => self.pack(*binary, &of_binary, default)?,
                None => BTreeMap::new(),
            };
            for product in of_binary {
                excesses.extend(self.weigh(product, &packed)?);
            }
        }
        self.write_checksums()?;
        println!("dist: {} is in {}", self.distribution.name, self.places.folder.display());
        Ok(excesses)
    }

    /// Makes the artefacts around a binary, and returns how much is downloaded of each.
    fn pack(
        &self,
        binary: Binary,
        products: &[&Product],
        default: &Default,
    ) -> Result<BTreeMap<Arch, u64>, Failure> {
        if let (Some(config), Binary::Agent) = (default.own(), binary) {
            self.validate(config)?;
        }
        match (&self.options.task, binary, default) {
            (Task::Base { base, is_insecure }, ..) => {
                self.base(products, default, base, *is_insecure)
            }
            (_, Binary::Agent, _) => {
                self.binary_archives(products, default)?;
                match default {
                    Default::None(why) => Ok(nothing("image", why)),
                    _ => self.image(products, default),
                }
            }
            (_, Binary::Lambda, Default::None(why)) => Ok(nothing("layer", why)),
            (_, Binary::Lambda, _) => self.layer(products, default),
        }
    }

    /// Has the agent that was built for this machine check the config that its image runs.
    fn validate(&self, config: &Config) -> Result<(), Failure> {
        let host = self.options.archs.iter().find(|arch| Arch::host() == Some(**arch));
        let validated = match host {
            Some(arch) => config.validate(&self.places.binary(*arch, Binary::Agent))?,
            None => Validated::Not("no binary was built for this machine".to_owned()),
        };
        if let Validated::Not(why) = validated {
            println!("note: {config} was checked for its components alone: {why}");
        }
        Ok(())
    }

    fn products(&self) -> Result<Vec<Product>, Failure> {
        let toolchain = match self.prebuilt {
            Some(_) => None,
            None => Some(Toolchain::set_up(&self.options.archs)?),
        };
        let mut products = Vec::new();
        for binary in &self.binaries {
            let features = self.distribution.features(*binary).unwrap_or_default();
            let profile = self.distribution.profile(*binary);
            for arch in &self.options.archs {
                let linked = crates::linked(*binary, &features, *arch)?;
                // Before minutes of compiling: a licence may be missing.
                let licences = licences::report(&linked)?;
                let (bytes, crates) = match &toolchain {
                    Some(toolchain) => {
                        let compiled = toolchain.compile(*binary, profile, &features, *arch)?;
                        (compiled.stripped, compiled.sizes)
                    }
                    None => (self.prebuilt.clone().unwrap_or_default(), Vec::new()),
                };
                let version = toolchain.as_ref().map_or("", |toolchain| &toolchain.version);
                let papers = Papers {
                    arch: *arch,
                    binary: bytes,
                    licences,
                    sbom: sbom::cyclonedx(*binary, *arch, &self.source, version, &linked)?,
                };
                self.write_binary(*binary, &papers)?;
                products.push(Product { binary: *binary, papers, crates });
            }
        }
        Ok(products)
    }

    fn write_binary(&self, binary: Binary, papers: &Papers) -> Result<(), Failure> {
        use std::os::unix::fs::PermissionsExt;

        let path = self.places.binary(papers.arch, binary);
        project::write(&path, &papers.binary)?;
        let mode = std::fs::Permissions::from_mode(crate::tree::EXECUTABLE);
        std::fs::set_permissions(&path, mode).at(&path)
    }

    /// The archives of the binary alone.
    fn binary_archives(&self, products: &[&Product], default: &Default) -> Result<(), Failure> {
        let packer = self.packer("hikyaku", default);
        for Product { papers, .. } in products {
            let archive = archive::tar(&packer.archive_tree(papers)?)?;
            let archive = archive::gzip(&archive, packer.packing)?;
            project::write(&self.places.binary_archive(papers.arch), archive)?;
        }
        Ok(())
    }

    /// The agent's image in every form.
    fn image(
        &self,
        products: &[&Product],
        default: &Default,
    ) -> Result<BTreeMap<Arch, u64>, Failure> {
        let packer = self.packer("hikyaku", default);
        let (mut images, mut sizes) = (Vec::new(), BTreeMap::new());
        for Product { papers, .. } in products {
            let arch = papers.arch;
            let image = packer.image(papers)?;
            let context = self.places.context(arch);
            project::fresh_folder(&context)?;
            for tree in packer.image_trees(papers) {
                // Both layers in one folder: what `dist/Dockerfile` copies.
                tree.write(&context)?;
            }
            let tag = format!("hikyaku-{}:{}", self.distribution.name, project::VERSION);
            project::write(&self.places.docker_archive(arch), image.docker_archive(&tag)?)?;
            sizes.insert(arch, image.compressed_size());
            images.push(image);
        }
        self.write_image(&self.places.image(), &images, &packer.labels)?;
        Ok(sizes)
    }

    /// The layer's zip files, and the image for `COPY --from`.
    fn layer(
        &self,
        products: &[&Product],
        default: &Default,
    ) -> Result<BTreeMap<Arch, u64>, Failure> {
        let packer = self.packer("hikyaku-lambda", default);
        let (mut images, mut sizes) = (Vec::new(), BTreeMap::new());
        let is_prebuilt = self.prebuilt.is_some();
        let mut record = Record::new(self.source.revision.clone(), packer.packing, is_prebuilt);
        for Product { papers, .. } in products {
            let arch = papers.arch;
            let tree = packer.layer_tree(papers);
            let zip = archive::zip(&tree, packer.packing)?;
            project::write(&self.places.zip(arch), &zip)?;
            record.add(arch, &zip);
            let layer = self.places.layer(arch);
            project::fresh_folder(&layer)?;
            tree.write(&layer)?;
            sizes.insert(arch, zip.len() as u64);
            images.push(packer.opt_image(papers)?);
        }
        self.write_image(&self.places.opt_image(), &images, &packer.labels)?;
        record.write(&self.places)?;
        Ok(sizes)
    }

    /// The image for functions on top of a base.
    fn base(
        &self,
        products: &[&Product],
        default: &Default,
        base: &str,
        is_insecure: bool,
    ) -> Result<BTreeMap<Arch, u64>, Failure> {
        let packer = self.packer("hikyaku-lambda", default);
        let base = base::fetch(base, &self.places.folder.join("base"), is_insecure)?;
        let (mut layers, mut sizes) = (Vec::new(), BTreeMap::new());
        for product in products {
            let layer = packer.opt_layer(&product.papers)?;
            sizes.insert(product.papers.arch, layer.bytes.len() as u64);
            layers.push((product.papers.arch, layer));
        }
        let folder = self.places.base_image();
        let digest = base::extend(&base, &folder, &layers, &packer.labels, &packer.date)?;
        self.tell_image(&folder, &digest)?;
        Ok(sizes)
    }

    fn write_image(
        &self,
        folder: &Path,
        images: &[Image],
        labels: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let digest = image::write(folder, images, labels)?;
        self.tell_image(folder, &digest)
    }

    fn tell_image(&self, folder: &Path, digest: &str) -> Result<(), Failure> {
        project::write(&places::digest(folder), format!("{digest}\n"))?;
        println!("dist: oci:{}:{} is {digest}", folder.display(), project::VERSION);
        Ok(())
    }

    fn weigh(
        &self,
        product: &Product,
        packed: &BTreeMap<Arch, u64>,
    ) -> Result<Vec<String>, Failure> {
        if product.crates.is_empty() {
            return Ok(Vec::new());
        }
        let arch = product.papers.arch;
        let measured = Measured {
            binary: product.binary,
            arch,
            binary_bytes: product.papers.binary.len() as u64,
            packed_bytes: packed.get(&arch).copied().unwrap_or_default(),
            crates: &product.crates,
        };
        let table = budget::table(&self.distribution.name, &measured);
        let path = self.places.sizes(arch, product.binary);
        project::write(&path, &table)?;
        let shown: Vec<&str> = table.lines().take(18).collect();
        println!("{}\n  …: {}", shown.join("\n  "), path.display());
        Ok(self.budget.excesses(&self.distribution.name, &measured))
    }

    fn packer<'p>(&'p self, title: &str, default: &'p Default) -> Packer<'p> {
        let (description, url) = (&self.distribution.description, self.options.url.as_deref());
        Packer {
            config: default.own(),
            labels: image::labels(title, description, &self.source, url),
            date: self.source.date(),
            packing: self.options.packing,
        }
    }

    /// Publishes the layer made before, or prints how.
    fn publish(&self) -> Result<(), Failure> {
        let Task::Publish { regions, layer_name, audience, is_run, is_forced } = &self.options.task
        else {
            return Ok(());
        };
        let (archs, remake) = (&self.options.archs, self.options.layer_command());
        let record = Record::of_archives(&self.places, archs, &remake)?;
        let objections = record.objections().join(" and ");
        if !objections.is_empty() && !is_forced {
            return Err(Failure::new(format!(
                "the layer in {} is {objections}: after a commit `{remake}` makes one that is not; --force publishes it all the same",
                self.places.folder.display()
            )));
        }
        let layer = |arch: &Arch| publish::Layer {
            name: layer_name.clone(),
            arch: *arch,
            zip: self.places.zip(*arch),
            description: record.description(),
        };
        let layers: Vec<publish::Layer> = archs.iter().map(layer).collect();
        let publication = Publication { layers: &layers, regions, audience };
        if *is_run {
            return publication.carry_out(|arn| println!("{arn}"));
        }
        for line in publication.printed() {
            println!("{line}");
        }
        Ok(())
    }

    /// The checksums of what can be downloaded, in the form that `sha256sum --check` reads.
    fn write_checksums(&self) -> Result<(), Failure> {
        let mut lines = Vec::new();
        let folder = &self.places.folder;
        for entry in folder.read_dir().at(folder)? {
            let path = entry.at(folder)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            if [".zip", ".tar", ".tar.gz"].iter().any(|end| name.ends_with(end)) {
                lines.push((name, oci::hex(&std::fs::read(&path).at(&path)?)));
            }
        }
        lines.sort();
        let lines: Vec<String> =
            lines.into_iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        project::write(&self.places.sums(), lines.concat())
    }
}

/// Reads a binary that was handed in, and makes sure that it runs where it is packed for.
fn prebuilt(path: &Path, arch: Arch, is_dynamic: bool) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).at(path)?;
    match is_dynamic {
        true => elf::require_arch(&bytes, arch),
        false => elf::require_static(&bytes, arch),
    }
    .at(path)
    .about("--prebuilt")?;
    Ok(bytes)
}

/// What the artefacts around each binary run by themselves.
///
/// # Errors
/// When what was asked for by name would have nothing to run.
fn defaults(
    options: &Options,
    distribution: &Distribution,
    binaries: &[Binary],
) -> Result<BTreeMap<Binary, Default>, Failure> {
    let mut defaults = BTreeMap::new();
    if matches!(options.task, Task::Binaries | Task::Publish { .. }) {
        return Ok(defaults);
    }
    for binary in binaries {
        let default = Default::of(distribution, *binary)?;
        match default {
            Default::None(why) if !matches!(options.task, Task::Everything) => {
                return Err(Failure::new(why));
            }
            default => defaults.insert(*binary, default),
        };
    }
    Ok(defaults)
}

/// Says that something is not made.
fn nothing(what: &str, why: &str) -> BTreeMap<Arch, u64> {
    println!("note: no {what} is made: {why}");
    BTreeMap::new()
}

fn list() -> Result<(), Failure> {
    for name in selection::names()? {
        let distribution = Distribution::read(&name)?;
        println!("{name}: {}", distribution.description);
    }
    Ok(())
}
