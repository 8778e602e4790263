//! The licences of everything that is linked, each text once, as most of them ask to be handed on with the binary.
//!
//! What comes compiled with the Rust standard library has been looked at, too. musl's licence is in `dist/licences/`. LLVM's libunwind and the
//! C part of its compiler-rt are under Apache-2.0 WITH LLVM-exception, which says: "if, as a result of your compiling your source code, portions
//! of this Software are embedded into an Object form of such source code, you may redistribute such embedded portions in such Object form without
//! complying with the conditions of Sections 4(a), 4(b) and 4(d) of the License". 4(a) is the copy of the licence, 4(d) the notice, and 4(c)
//! is about source alone: a binary has nothing to hand on for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::crates::Crate;
use crate::failure::{About, Failure};
use crate::project;

/// Files of a crate that hold terms or notices, by the beginning of their names.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];

/// What is not linked, or not under the terms that a file has: a crate, and where in it.
const LEFT_OUT: [(&str, &str); 2] = [
    // Only its feature `v2` compiles that.
    ("libmimalloc-sys", "c_src/mimalloc/v2/"),
    // The GPL, which zstd can be had under in the place of the BSD licence beside it.
    ("zstd-sys", "zstd/COPYING"),
];

/// Folders of a crate that are for whoever works on it. None of them is linked.
const NOT_LINKED: [&str; 4] = ["benches", "examples", "fuzz", "tests"];

/// Texts with who each is for. Texts that differ in white space alone are one.
#[derive(Default)]
struct Texts(BTreeMap<String, (String, Vec<String>)>);

impl Texts {
    fn add(&mut self, text: &str, who: String) {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, all) = self.0.entry(words).or_insert_with(|| (text.trim().to_owned(), Vec::new()));
        if !all.contains(&who) {
            all.push(who);
        }
    }
}

/// The report on these crates, the Rust library and the C library included.
///
/// # Errors
/// A crate that ships no text for a licence that is not Apache-2.0, unless `dist/licences/` has it.
pub(crate) fn report(crates: &[Crate]) -> Result<String, Failure> {
    let apache = project::read_text(&project::root().join("LICENSE"))?;
    let mut texts = Texts::default();
    texts.add(&apache, "hikyaku, the Rust standard library".to_owned());
    for one in crates {
        let Some(folder) = &one.folder else { continue };
        let who = format!("{} {} ({})", one.name, one.version, one.licence);
        let found = files(&one.name, folder)?;
        let (own, bundled): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|path| !path.contains('/'));
        // Code of others inside of the crate is under terms of its own, whatever the crate's are.
        for file in bundled {
            let text = project::read_text(&folder.join(&file))?;
            texts.add(&text, format!("{} {}: {file}", one.name, one.version));
        }
        if allows_apache(&one.licence) {
            // One of several licences is enough, and this one's text is the same for all; its notices are not.
            texts.add(&apache, who.clone());
            for notice in own.iter().filter(|name| name.to_uppercase().starts_with("NOTICE")) {
                texts.add(&project::read_text(&folder.join(notice))?, who.clone());
            }
            continue;
        }
        let mut own: Vec<PathBuf> = own.iter().map(|name| folder.join(name)).collect();
        let kept = project::root().join("dist/licences").join(format!("{}.txt", one.name));
        if own.is_empty() && kept.is_file() {
            own.push(kept);
        }
        if own.is_empty() {
            return Err(Failure::new(format!(
                "{who} comes without a licence text; put it into dist/licences/{}.txt",
                one.name
            )));
        }
        for file in own {
            texts.add(&project::read_text(&file)?, who.clone());
        }
    }
    let musl = project::root().join("dist/licences/musl.txt");
    texts.add(&project::read_text(&musl)?, "musl (MIT)".to_owned());
    let mut report = String::from("What this program is made of, and the terms of each part.\n");
    let mut sections: Vec<(String, Vec<String>)> = texts.0.into_values().collect();
    // The text with the most crates first.
    sections.sort_by(|(text, who), (other_text, other)| {
        other.len().cmp(&who.len()).then(text.cmp(other_text))
    });
    for (text, who) in sections {
        let rule = "-".repeat(100);
        report.push_str(&format!("\n{rule}\n{}\n{rule}\n\n{text}\n", who.join("\n")));
    }
    Ok(report)
}

/// Whether an expression lets one choose Apache-2.0 alone.
fn allows_apache(licence: &str) -> bool {
    let has_more = [" AND ", "("].iter().any(|word| licence.contains(word));
    !has_more
        && licence
            .split(" OR ")
            .flat_map(|part| part.split('/'))
            .any(|one| one.trim() == "Apache-2.0")
}

/// The files with terms or notices of a crate, by their paths in it, in the order of the alphabet: its own in its root, and those of code that it
/// bundles, such as a C library, below.
fn files(name: &str, folder: &Path) -> Result<Vec<String>, Failure> {
    let mut files = Vec::new();
    let mut open = vec![String::new()];
    while let Some(below) = open.pop() {
        let folder = folder.join(&below);
        for entry in folder.read_dir().at(&folder)? {
            let entry = entry.at(&folder)?;
            let file = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{below}{file}");
            if entry.file_type().at(&entry.path())?.is_dir() {
                if !NOT_LINKED.contains(&file.as_str()) {
                    open.push(format!("{path}/"));
                }
            } else if is_licence(&file) {
                files.push(path);
            }
        }
    }
    files.retain(|path| {
        !LEFT_OUT.iter().any(|(owner, place)| *owner == name && path.starts_with(place))
    });
    files.sort();
    Ok(files)
}

fn is_licence(file: &str) -> bool {
    // `license.rs` may be a module.
    let is_code = [".rs", ".c", ".h", ".py", ".sh"].iter().any(|end| file.ends_with(end));
    let file = file.to_uppercase();
    !is_code && NAMES.iter().any(|known| file.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, licence: &str, folder: &Path) -> Crate {
        Crate {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.to_owned(),
            repository: None,
            folder: Some(folder.to_owned()),
        }
    }

    #[test]
    fn texts_are_handed_on_once_and_a_missing_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let text = "Permission is hereby granted to A";
        std::fs::write(folder.path().join("LICENSE-MIT"), text).unwrap();
        std::fs::write(folder.path().join("lib.rs"), "not a licence").unwrap();
        let crates = [one("a", "MIT", folder.path()), one("b", "MIT", folder.path())];
        let report = report(&crates).unwrap();
        assert_eq!(report.matches(text).count(), 1, "{report}");
        for word in ["a 1.0.0 (MIT)\nb 1.0.0 (MIT)", "musl", "Apache License"] {
            assert!(report.contains(word), "{word} is missing");
        }
        assert!(!report.contains("not a licence"));
        let empty = tempfile::tempdir().unwrap();
        let error = super::report(&[one("c", "MIT", empty.path())]).unwrap_err().to_string();
        assert!(error.contains("dist/licences/c.txt"), "{error}");
        super::report(&[one("d", "MIT OR Apache-2.0", empty.path())]).unwrap();
    }

    #[test]
    fn code_that_a_crate_bundles_has_its_own_texts() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            project::write(&folder.path().join(path), text).unwrap();
        };
        write("LICENSE", "of the crate");
        write("c_src/lib/LICENSE.txt", "of the library");
        write("c_src/lib/COPYING", "of  the\nlibrary");
        write("src/license.rs", "a module");
        write("tests/LICENSE", "of a test");
        let report = report(&[one("a", "Apache-2.0", folder.path())]).unwrap();
        let expected = "a 1.0.0: c_src/lib/COPYING\na 1.0.0: c_src/lib/LICENSE.txt\n";
        assert!(report.contains(expected), "{report}");
        for absent in ["of the crate", "a module", "of a test", "of the library"] {
            assert!(!report.contains(absent), "{absent}");
        }
        assert_eq!(report.matches("of  the\nlibrary").count(), 1);
    }

    #[test]
    fn the_agents_report_has_the_notices_of_its_c_libraries() {
        let crates = crate::crates::agent();
        let report = report(&crates).unwrap();
        for notice in [
            "Copyright (c) 2018-2025 Microsoft Corporation, Daan Leijen",
            "Copyright (c) Meta Platforms, Inc. and affiliates. All rights reserved.",
            "the fiat-crypto authors",
            "Brian Smith",
            "Rich Felker",
        ] {
            assert!(report.contains(notice), "{notice} is missing");
        }
        assert!(
            report.contains(": c_src/mimalloc/v3/LICENSE\n") && !report.contains("mimalloc/v2")
        );
        assert!(!report.contains("GNU GENERAL PUBLIC LICENSE"));
        assert_eq!(report, super::report(&crates).unwrap());
    }

    #[test]
    fn apache_can_be_chosen_where_it_is_an_alternative_only() {
        for licence in ["Apache-2.0", "MIT OR Apache-2.0", "MIT/Apache-2.0", "Apache-2.0 / MIT"] {
            assert!(allows_apache(licence), "{licence}");
        }
        for licence in ["MIT", "Apache-2.0 AND ISC", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
            assert!(!allows_apache(licence), "{licence}");
        }
    }
}
