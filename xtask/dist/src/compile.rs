//! Compiling a binary that runs anywhere: static, against musl, for either architecture, the same bytes from any folder.
//!
//! zig stands in for the C compilers of both targets, and cargo-zigbuild tells cargo so; both come as Python wheels
//! (`cargo xtask parts cross`), the standard libraries from rustup.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary::{Arch, Binary};
use crate::elf;
use crate::failure::{About, Failure};
use crate::project;

/// The profile whose binaries are small before they are fast.
const SMALL: &str = "lambda";

/// How a binary is linked: by Rust's own linker, which folds functions that turned out the same; at a fixed address, so that nothing is relocated at
/// each start.
const LINKING: [&str; 3] =
    ["-Clinker=rust-lld", "-Clink-arg=--icf=all", "-Crelocation-model=static"];

/// zstd as its own documentation makes it small: one way to decompress, no copies for newer processors, and none of the slowest ways to compress,
/// in whose place the next faster one is used.
const SMALL_ZSTD: &str = "-DHUF_FORCE_DECOMPRESS_X1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT -DZSTD_NO_INLINE \
    -DDYNAMIC_BMI2=0 -DZSTD_DISABLE_ASM -DZSTD_EXCLUDE_BTLAZY2_BLOCK_COMPRESSOR \
    -DZSTD_EXCLUDE_BTOPT_BLOCK_COMPRESSOR -DZSTD_EXCLUDE_BTULTRA_BLOCK_COMPRESSOR";

/// No panic passes through C code, so nothing has to know how to unwind it.
const NO_UNWINDING: &str = "-fno-asynchronous-unwind-tables -fno-unwind-tables";

/// What of the caller's environment the compilation sees: whom to reach, where tools are, how busy the machine may be. All else (CFLAGS, CC,
/// CARGO_PROFILE_*, RUSTFLAGS and their like) would make other bytes of the same commit.
const KEPT: [&str; 12] = [
    "HOME",
    "CARGO_HOME",
    "CARGO_BUILD_JOBS",
    "LD_LIBRARY_PATH",
    "TERM",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// The same for names that begin so: the toolchain that rustup chose, and how cargo fetches what Cargo.lock names by its checksum.
const KEPT_PREFIXES: [&str; 5] =
    ["RUSTUP_", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_TERM_"];

/// What compiles for both architectures.
pub(crate) struct Toolchain {
    /// The search path with the cross tools first.
    path: OsString,
    flags: String,
    /// The compiler's version, such as `1.95.0`.
    pub(crate) version: String,
    sysroot: PathBuf,
    /// The triple of this machine.
    host: String,
}

/// A binary as it was compiled.
pub(crate) struct Compiled {
    /// The file to ship.
    pub(crate) stripped: Vec<u8>,
    /// Bytes by crate, the largest first.
    pub(crate) sizes: Vec<(String, u64)>,
}

impl Toolchain {
    /// Sets up what is missing: the wheels below `.parts/`, and the targets.
    ///
    /// # Errors
    /// When one of them cannot be had.
    pub(crate) fn set_up(archs: &[Arch]) -> Result<Self, Failure> {
        let mut parts = Command::new(project::cargo());
        parts.args(["xtask", "parts", "cross"]).current_dir(project::root());
        project::run(parts)?;
        let mut targets = Command::new("rustup");
        targets.args(["target", "add"]).args(archs.iter().map(|arch| arch.target()));
        targets.current_dir(project::root());
        project::output(targets).about(
            "the standard libraries for musl come from rustup (https://rustup.rs), as rust-toolchain.toml pins them",
        )?;
        let rustc = |arguments: &[&str]| {
            let mut command = Command::new("rustc");
            command.args(arguments).current_dir(project::root());
            project::output(command)
        };
        let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?);
        let sysroot = sysroot.canonicalize().at(&sysroot)?;
        let verbose = rustc(&["--version", "--verbose"])?;
        let field = |name: &str| verbose.lines().find_map(|line| line.strip_prefix(name));
        let (Some(host), Some(version)) = (field("host: "), field("release: ")) else {
            return Err(Failure::new(format!("rustc does not name its host:\n{verbose}")));
        };
        let wheels = project::root().join(".parts/cross/bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(wheels).chain(std::env::split_paths(&path)))
                .about("PATH")?;
        let (version, host) = (version.to_owned(), host.to_owned());
        let flags = flags(&sysroot, &cargo_home()?, project::root(), &target_folder()?)?;
        Ok(Self { path, flags, version, sysroot, host })
    }

    /// Compiles a binary with exactly these features, strips it, and makes sure that it is static.
    ///
    /// # Errors
    /// When it does not compile or links something.
    pub(crate) fn compile(
        &self,
        binary: Binary,
        profile: &str,
        features: &str,
        arch: Arch,
    ) -> Result<Compiled, Failure> {
        let target = target_folder()?;
        let zig = target.join("zig");
        let mut command = Command::new(project::root().join(".parts/cross/bin/cargo-zigbuild"));
        command.env_clear().envs(std::env::vars_os().filter(|(name, _)| is_kept(name)));
        command
            .args(["rustc", "--locked", "--package", binary.name(), "--bin", binary.name()])
            .args(["--profile", profile, "--target", arch.target()])
            .args(["--no-default-features", "--features", features])
            .arg("--target-dir")
            .arg(&target)
            .arg("--")
            .args(LINKING)
            .args((profile == SMALL).then_some("-Cllvm-args=-inline-threshold=0"))
            .current_dir(project::root())
            .env("PATH", &self.path)
            .env("CARGO", project::cargo())
            .env("CARGO_ENCODED_RUSTFLAGS", &self.flags)
            .env("CARGO_ZIGBUILD_CACHE_DIR", &zig)
            .env("ZIG_GLOBAL_CACHE_DIR", zig.join("global"))
            .env("ZIG_LOCAL_CACHE_DIR", zig.join("local"))
            // What C code makes of __DATE__ and __TIME__, which the allocator has in a message.
            .env("SOURCE_DATE_EPOCH", "0")
            // Symbols are what the sizes are counted by; they go afterwards.
            .env(format!("CARGO_PROFILE_{}_STRIP", profile.to_uppercase()), "none");
        if profile == SMALL {
            let flags = format!("{SMALL_ZSTD} {NO_UNWINDING}");
            command.env(format!("CFLAGS_{}", arch.target().replace('-', "_")), flags);
        }
        project::run(command)?;
        let path = target.join(arch.target()).join(profile).join(binary.name());
        let whole = std::fs::read(&path).at(&path)?;
        let sizes = elf::sizes(&whole).at(&path)?;
        let stripped = self.strip(&path)?;
        elf::require_static(&stripped, arch).at(&path)?;
        Ok(Compiled { stripped, sizes })
    }

    /// Takes away what a running binary does not need, with the tool that rustc itself strips with.
    fn strip(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        let tool = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/rust-objcopy");
        let stripped = path.with_extension("stripped");
        let mut command = Command::new(tool);
        command
            .args(["--strip-all", "--remove-section=.comment"])
            .args([path, &stripped])
            .env("LD_LIBRARY_PATH", self.sysroot.join("lib"));
        project::output(command)?;
        std::fs::read(&stripped).at(&stripped)
    }
}

/// Whether the compilation sees a variable of the caller's.
fn is_kept(name: &OsStr) -> bool {
    // Proxies are named in either case.
    let name = name.to_string_lossy().to_ascii_uppercase();
    KEPT.contains(&name.as_str()) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Flags that keep this machine's folders out of the binary, separated as cargo wants them; with symbol names that tell the crate.
fn flags(sysroot: &Path, cargo_home: &Path, root: &Path, target: &Path) -> Result<String, Failure> {
    let registries = cargo_home.join("registry/src");
    // What build scripts generate is in the target folder, wherever that is.
    let mut remaps = vec![
        (sysroot.to_owned(), "/rust"),
        (cargo_home.to_owned(), "/cargo"),
        (root.to_owned(), "/hikyaku"),
        (target.to_owned(), "/hikyaku/target"),
    ];
    // A registry's folder is named after how cargo reaches it.
    for entry in registries.read_dir().at(&registries)? {
        remaps.push((entry.at(&registries)?.path(), "/crates"));
    }
    // Later flags win, so the folder that is within another comes after it.
    remaps.sort_by_key(|(from, _)| from.components().count());
    let remaps =
        remaps.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    let flags: Vec<String> =
        std::iter::once("-Csymbol-mangling-version=v0".to_owned()).chain(remaps).collect();
    Ok(flags.join("\u{1f}"))
}

fn cargo_home() -> Result<PathBuf, Failure> {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    named.or_else(home).ok_or_else(|| Failure::new("HOME is not set"))
}

/// The folder that holds this program's own profile folder, whatever the caller's settings call it.
pub(crate) fn target_folder() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().about("this program's own path")?;
    let target = own.parent().and_then(Path::parent);
    Ok(target.map_or_else(|| project::root().join("target"), Path::to_path_buf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_callers_that_changes_bytes_reaches_the_compilers() {
        for name in [
            "CC",
            "CFLAGS",
            "CFLAGS_x86_64_unknown_linux_musl",
            "TARGET_CFLAGS",
            "AR",
            "RUSTFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_INCREMENTAL",
            "CARGO_PROFILE_RELEASE_OPT_LEVEL",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS",
            "RUSTC_WRAPPER",
            "ZSTD_SYS_USE_PKG_CONFIG",
        ] {
            assert!(!is_kept(OsStr::new(name)), "{name}");
        }
        for name in ["HOME", "CARGO_HOME", "https_proxy", "RUSTUP_HOME", "CARGO_NET_OFFLINE"] {
            assert!(is_kept(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn no_folder_of_this_machine_is_left_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let registry = home.path().join("registry/src/index.crates.io-1");
        std::fs::create_dir_all(&registry).unwrap();
        let [sysroot, root] = ["/s", "/somewhere/clone"].map(Path::new);
        let flags = |target: &str| flags(sysroot, home.path(), root, Path::new(target)).unwrap();
        for target in ["/somewhere/clone/target", "/elsewhere/t"] {
            let flags = flags(target);
            let remaps: Vec<(&str, &str)> = flags
                .split('\u{1f}')
                .filter_map(|flag| flag.strip_prefix("--remap-path-prefix=")?.split_once('='))
                .collect();
            // As rustc does it: the last one that fits.
            let mapped = |path: &str| {
                let fits = remaps.iter().rev().find_map(|(from, to)| {
                    Path::new(path).strip_prefix(from).ok().map(|rest| Path::new(to).join(rest))
                });
                fits.unwrap_or_else(|| panic!("{path} is left: {remaps:?}"))
            };
            let generated = format!("{target}/x86_64-unknown-linux-musl/release/build/a/out/b.rs");
            assert_eq!(
                mapped(&generated),
                Path::new("/hikyaku/target/x86_64-unknown-linux-musl/release/build/a/out/b.rs")
            );
            assert_eq!(
                mapped("/somewhere/clone/net/src/lib.rs"),
                Path::new("/hikyaku/net/src/lib.rs")
            );
            let source = registry.join("ring-1/src/lib.rs");
            assert_eq!(mapped(source.to_str().unwrap()), Path::new("/crates/ring-1/src/lib.rs"));
        }
    }
}
