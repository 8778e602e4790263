//! The tasks: which binaries are compiled, what is packed around them, and what is said about it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::archive;
use crate::base;
use crate::binary::{Arch, Binary};
use crate::budget::{self, Budget, Measured};
use crate::compile::{self, Toolchain};
use crate::contents::{Packer, Papers};
use crate::crates;
use crate::failure::{About, Failure};
use crate::image::{self, Image};
use crate::licences;
use crate::oci;
use crate::options::{Options, Task};
use crate::project::{self, Source};
use crate::publish;
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
    out: PathBuf,
    binaries: Vec<Binary>,
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
        let out = match &options.out {
            Some(out) => out.clone(),
            None => compile::target_folder()?.join("dist").join(&distribution.name),
        };
        let binaries: Vec<Binary> = match only {
            None => distribution.binaries.keys().copied().collect(),
            Some(only) if distribution.binaries.contains_key(&only) => vec![only],
            Some(only) => {
                return Err(Failure::new(format!(
                    "dist/{}/components.toml does not build {}",
                    distribution.name,
                    only.name()
                )));
            }
        };
        if options.prebuilt.is_some() && (binaries.len() != 1 || options.archs.len() != 1) {
            return Err(Failure::new(
                "--prebuilt is one binary for one --arch: name `image`, `layer` or `base`",
            ));
        }
        Ok(Self { options, distribution, source: Source::find()?, out, binaries })
    }

    /// Makes what is asked for, and returns what is over the budget.
    fn work(&self) -> Result<Vec<String>, Failure> {
        if let Task::Publish { regions, layer_name, audience, is_run } = &self.options.task {
            let layers: Vec<publish::Layer> = self
                .options
                .archs
                .iter()
                .map(|arch| self.layer_to_publish(*arch, layer_name))
                .collect::<Result<_, _>>()?;
            for line in publish::publish(&layers, regions, audience, *is_run)? {
                println!("{line}");
            }
            return Ok(Vec::new());
        }
        for note in &self.distribution.notes {
            println!("note: {note}");
        }
        let products = self.products()?;
        let mut excesses = Vec::new();
        for binary in &self.binaries {
            let of_binary: Vec<&Product> =
                products.iter().filter(|product| product.binary == *binary).collect();
            let packed = match (&self.options.task, binary) {
                (Task::Binaries, _) => BTreeMap::new(),
                (Task::Base { base, is_insecure }, _) => {
                    self.base(&of_binary, base, *is_insecure)?
                }
                (_, Binary::Agent) => self.image(&of_binary)?,
                (_, Binary::Lambda) => self.layer(&of_binary)?,
            };
            for product in of_binary {
                excesses.extend(self.weigh(product, &packed)?);
            }
        }
        self.write_checksums()?;
        println!("dist: {} is in {}", self.distribution.name, self.out.display());
        Ok(excesses)
    }

    fn products(&self) -> Result<Vec<Product>, Failure> {
        let toolchain = match self.options.prebuilt {
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
                let (bytes, crates) = match (&toolchain, &self.options.prebuilt) {
                    (Some(toolchain), _) => {
                        let compiled = toolchain.compile(*binary, profile, &features, *arch)?;
                        (compiled.stripped, compiled.sizes)
                    }
                    (None, prebuilt) => {
                        let path = prebuilt.as_deref().unwrap_or(Path::new(""));
                        (std::fs::read(path).at(path)?, Vec::new())
                    }
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

        let path = self.out.join(papers.arch.name()).join(binary.name());
        project::write(&path, &papers.binary)?;
        let mode = std::fs::Permissions::from_mode(crate::tree::EXECUTABLE);
        std::fs::set_permissions(&path, mode).at(&path)
    }

    /// The agent's image in every form, and the archive of the binary alone.
    fn image(&self, products: &[&Product]) -> Result<BTreeMap<Arch, u64>, Failure> {
        let packer = self.packer("hikyaku");
        let (mut images, mut sizes) = (Vec::new(), BTreeMap::new());
        for product in products {
            let (papers, arch) = (&product.papers, product.papers.arch);
            let image = packer.image(papers)?;
            let context = self.out.join("context").join(arch.name());
            project::fresh_folder(&context)?;
            for tree in packer.image_trees(papers)? {
                // Both layers in one folder: what `dist/Dockerfile` copies.
                tree.write(&context)?;
            }
            let tag = format!("hikyaku-{}:{}", self.distribution.name, project::VERSION);
            let archive = self.out.join(format!("image-{arch}.docker.tar"));
            project::write(&archive, image.docker_archive(&tag)?)?;
            let binary = archive::tar(&packer.archive_tree(papers)?)?;
            let archive = self.out.join(format!("hikyaku-linux-{arch}.tar.gz"));
            project::write(&archive, archive::gzip(&binary, packer.packing)?)?;
            sizes.insert(arch, image.compressed_size());
            images.push(image);
        }
        self.write_image("image", &images, &packer.labels)?;
        Ok(sizes)
    }

    /// The layer's zip files, and the image for `COPY --from`.
    fn layer(&self, products: &[&Product]) -> Result<BTreeMap<Arch, u64>, Failure> {
        let packer = self.packer("hikyaku-lambda");
        let (mut images, mut sizes) = (Vec::new(), BTreeMap::new());
        for product in products {
            let (papers, arch) = (&product.papers, product.papers.arch);
            let tree = packer.layer_tree(papers)?;
            let zip = archive::zip(&tree, packer.packing)?;
            project::write(&self.zip(arch), &zip)?;
            let layer = self.out.join("layer").join(arch.name());
            project::fresh_folder(&layer)?;
            tree.write(&layer)?;
            sizes.insert(arch, zip.len() as u64);
            images.push(packer.opt_image(papers)?);
        }
        self.write_image("opt-image", &images, &packer.labels)?;
        Ok(sizes)
    }

    /// The image for functions on top of a base.
    fn base(
        &self,
        products: &[&Product],
        base: &str,
        is_insecure: bool,
    ) -> Result<BTreeMap<Arch, u64>, Failure> {
        let packer = self.packer("hikyaku-lambda");
        let base = base::fetch(base, &self.out.join("base"), is_insecure)?;
        let (mut layers, mut sizes) = (Vec::new(), BTreeMap::new());
        for product in products {
            let layer = packer.opt_layer(&product.papers)?;
            sizes.insert(product.papers.arch, layer.bytes.len() as u64);
            layers.push((product.papers.arch, layer));
        }
        let folder = self.out.join("base-image");
        let digest = base::extend(&base, &folder, &layers, &packer.labels, &packer.date)?;
        self.tell_image(&folder, &digest)?;
        Ok(sizes)
    }

    fn write_image(
        &self,
        name: &str,
        images: &[Image],
        labels: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let folder = self.out.join(name);
        let digest = image::write(&folder, images, labels)?;
        self.tell_image(&folder, &digest)
    }

    fn tell_image(&self, folder: &Path, digest: &str) -> Result<(), Failure> {
        project::write(&folder.with_extension("digest"), format!("{digest}\n"))?;
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
        let path = self.out.join(arch.name()).join(format!("{}.sizes.txt", product.binary.name()));
        project::write(&path, &table)?;
        let shown: Vec<&str> = table.lines().take(18).collect();
        println!("{}\n  …: {}", shown.join("\n  "), path.display());
        Ok(Budget::read()?.excesses(&self.distribution.name, &measured))
    }

    fn packer(&self, title: &str) -> Packer<'_> {
        let (description, url) = (&self.distribution.description, self.options.url.as_deref());
        Packer {
            distribution: &self.distribution,
            labels: image::labels(title, description, &self.source, url),
            date: self.source.date(),
            packing: self.options.packing,
        }
    }

    fn zip(&self, arch: Arch) -> PathBuf {
        self.out.join(format!("hikyaku-lambda-{arch}.zip"))
    }

    fn layer_to_publish(&self, arch: Arch, name: &str) -> Result<publish::Layer, Failure> {
        let zip = self.zip(arch);
        if !zip.is_file() {
            return Err(Failure::new(format!(
                "{} is not there: `cargo xtask dist layer` makes it",
                zip.display()
            )));
        }
        let description = format!("hikyaku {}", project::VERSION);
        Ok(publish::Layer { name: name.to_owned(), arch, zip, description })
    }

    /// The checksums of what can be downloaded, in the form that `sha256sum --check` reads.
    fn write_checksums(&self) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for entry in self.out.read_dir().at(&self.out)? {
            let path = entry.at(&self.out)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            if [".zip", ".tar", ".tar.gz"].iter().any(|end| name.ends_with(end)) {
                lines.push((name, oci::hex(&std::fs::read(&path).at(&path)?)));
            }
        }
        lines.sort();
        let lines: Vec<String> =
            lines.into_iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        project::write(&self.out.join("SHA256SUMS"), lines.concat())
    }
}

fn list() -> Result<(), Failure> {
    for name in selection::names()? {
        let distribution = Distribution::read(&name)?;
        println!("{name}: {}", distribution.description);
    }
    Ok(())
}
