//! The C libraries that crates and the Rust standard library bring along. cargo knows nothing of them; those who look for known weaknesses do.

use std::path::PathBuf;
use std::process::Command;

use object::read::archive::ArchiveFile;

use crate::binary::Arch;
use crate::crates::Crate;
use crate::failure::{About, Failure};
use crate::project;

/// One library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Library {
    pub(crate) name: &'static str,
    /// None where the source does not say it.
    pub(crate) version: Option<String>,
    /// The one of its licences that it is used under.
    pub(crate) licence: &'static str,
    pub(crate) description: String,
    /// Its package URL, up to the version.
    package: &'static str,
    /// Vendor and product in the dictionary of the American vulnerability database, where they are in it.
    listed: Option<&'static str>,
}

impl Library {
    /// The package URL, as tags of its repository have it.
    pub(crate) fn purl(&self) -> String {
        let prefix = if self.package.starts_with("pkg:github/") { "v" } else { "" };
        let version = self.version.as_ref().map(|version| format!("@{prefix}{version}"));
        format!("{}{}", self.package, version.unwrap_or_default())
    }

    /// Its name in the vulnerability database. Without a version it would match all there ever were, and is none.
    pub(crate) fn cpe(&self) -> Option<String> {
        let (listed, version) = (self.listed?, self.version.as_ref()?);
        Some(format!("cpe:2.3:a:{listed}:{version}:*:*:*:*:*:*:*"))
    }
}

/// The libraries whose source these crates hold.
///
/// # Errors
/// A crate that does not say the version where it used to.
pub(crate) fn libraries(crates: &[Crate]) -> Result<Vec<Library>, Failure> {
    let mut libraries = Vec::new();
    for one in crates {
        let description = format!("a part of {} {}", one.name, one.version);
        let library = match one.name.as_str() {
            "libmimalloc-sys" => Library {
                name: "mimalloc",
                version: Some(mimalloc_version(one)?),
                licence: "MIT",
                description,
                package: "pkg:github/microsoft/mimalloc",
                listed: None,
            },
            "ring" => Library {
                name: "boringssl",
                // It takes files from BoringSSL as they are at the time, and BoringSSL has no versions.
                version: None,
                licence: "Apache-2.0 AND ISC",
                description,
                package: "pkg:github/google/boringssl",
                listed: None,
            },
            "zstd-sys" => {
                let version = one.version.split_once("+zstd.").ok_or_else(|| {
                    Failure::new(format!("zstd-sys {} does not say zstd's version", one.version))
                })?;
                Library {
                    name: "zstd",
                    version: Some(version.1.to_owned()),
                    licence: "BSD-3-Clause",
                    description,
                    package: "pkg:github/facebook/zstd",
                    listed: Some("facebook:zstandard"),
                }
            }
            _ => continue,
        };
        libraries.push(library);
    }
    Ok(libraries)
}

/// The C library that the compiler has for an architecture. Its version is in the compiler's copy, if it is here.
pub(crate) fn musl(arch: Arch) -> Library {
    Library {
        version: musl_archive(arch)
            .and_then(|path| std::fs::read(path).ok())
            .and_then(|archive| musl_version(&archive)),
        ..unknown_musl()
    }
}

/// The C library of a binary that another compiler made.
pub(crate) fn unknown_musl() -> Library {
    Library {
        name: "musl",
        version: None,
        licence: "MIT",
        description: "the C library that comes with rust-std for this target".to_owned(),
        package: "pkg:generic/musl",
        listed: Some("musl-libc:musl"),
    }
}

/// `#define MI_MALLOC_VERSION 30302` is 3.3.2, by the header's own words. The older one beside it is compiled for a feature that nobody turns on.
fn mimalloc_version(one: &Crate) -> Result<String, Failure> {
    let wrong =
        || Failure::new(format!("{} {} does not say mimalloc's version", one.name, one.version));
    let header = one.folder.as_ref().ok_or_else(wrong)?;
    let header = project::read_text(&header.join("c_src/mimalloc/v3/include/mimalloc.h"))
        .about("mimalloc's version")?;
    let number: u32 = header
        .lines()
        .find_map(|line| line.strip_prefix("#define MI_MALLOC_VERSION "))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .ok_or_else(wrong)?;
    Ok(format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100))
}

fn musl_archive(arch: Arch) -> Option<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "sysroot"]).current_dir(project::root());
    let sysroot = PathBuf::from(project::output(rustc).ok()?);
    Some(sysroot.join("lib/rustlib").join(arch.target()).join("lib/self-contained/libc.a"))
}

/// The text in the member of `libc.a` that has it for whoever runs the library as a program.
fn musl_version(archive: &[u8]) -> Option<String> {
    let file = ArchiveFile::parse(archive).ok()?;
    let member = file.members().flatten().find(|member| member.name() == b"version.lo")?;
    let texts = member.data(archive).ok()?.split(|byte| *byte == 0);
    texts
        .filter_map(|text| std::str::from_utf8(text).ok())
        .find(|text| is_version(text))
        .map(str::to_owned)
}

fn is_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').count() == 3 && text.split('.').all(is_number)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_crate_of_the_agent_that_holds_c_code_is_known() {
        let crates = crate::crates::agent();
        let named = libraries(&crates).unwrap();
        let named: Vec<&str> = named.iter().map(|library| library.name).collect();
        assert_eq!(named, ["mimalloc", "boringssl", "zstd"]);
        let with_code: Vec<&str> = crates
            .iter()
            .filter(|one| one.folder.as_deref().is_some_and(has_code))
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(with_code, ["libmimalloc-sys", "ring", "zstd-sys"]);
    }

    fn has_code(folder: &Path) -> bool {
        folder.read_dir().unwrap().any(|entry| {
            let path = entry.unwrap().path();
            let end = path.extension().and_then(|end| end.to_str());
            if path.is_dir() {
                return has_code(&path);
            }
            matches!(end, Some("c" | "cc" | "cpp" | "S" | "s" | "a" | "o"))
        })
    }

    #[test]
    fn libraries_are_known_by_the_names_that_scanners_have_for_them() {
        let libraries = libraries(&crate::crates::agent()).unwrap();
        let [mimalloc, boringssl, zstd] = libraries.as_slice() else { panic!("{libraries:?}") };
        let is_of = |library: &Library, start: &str| {
            let purl = library.purl();
            let version = purl.strip_prefix(start).unwrap_or_else(|| panic!("{purl}"));
            assert!(is_version(version), "{purl}");
        };
        is_of(mimalloc, "pkg:github/microsoft/mimalloc@v");
        is_of(zstd, "pkg:github/facebook/zstd@v");
        assert_eq!(boringssl.purl(), "pkg:github/google/boringssl");
        assert_eq!(boringssl.cpe(), None);
        let expected = format!(
            "cpe:2.3:a:facebook:zstandard:{}:*:*:*:*:*:*:*",
            zstd.version.as_deref().unwrap()
        );
        assert_eq!(zstd.cpe(), Some(expected));
        let musl = unknown_musl();
        assert_eq!((musl.purl().as_str(), musl.cpe()), ("pkg:generic/musl", None));
        let musl = Library { version: Some("1.2.5".to_owned()), ..musl };
        assert_eq!(musl.purl(), "pkg:generic/musl@1.2.5");
        assert_eq!(musl.cpe().as_deref(), Some("cpe:2.3:a:musl-libc:musl:1.2.5:*:*:*:*:*:*:*"));
    }

    #[test]
    fn musls_version_is_read_from_its_archive() {
        let member = |name: &str, content: &str| {
            format!(
                "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n{content}",
                name,
                0,
                0,
                0,
                644,
                content.len()
            )
        };
        let other = member("random.lo/", "9.9.9\0.");
        let archive =
            format!("!<arch>\n{other}\n{}", member("version.lo/", "GNU C99 9.4.0\x001.2.5\0x"));
        assert_eq!(musl_version(archive.as_bytes()).as_deref(), Some("1.2.5"));
        assert_eq!(musl_version(format!("!<arch>\n{other}").as_bytes()), None);
        assert_eq!(musl_version(b"something else"), None);
    }

    #[test]
    fn a_crate_that_says_no_version_is_an_error() {
        let one = |name: &str, folder: Option<&Path>| Crate {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            repository: None,
            folder: folder.map(Path::to_owned),
        };
        let empty = tempfile::tempdir().unwrap();
        for crates in [one("zstd-sys", None), one("libmimalloc-sys", Some(empty.path()))] {
            let error = libraries(&[crates]).unwrap_err().to_string();
            assert!(error.contains("version"), "{error}");
        }
    }
}
