//! The licences of everything that is linked, each text once, as most of them ask to be handed on with the binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::crates::Crate;
use crate::failure::{About, Failure};
use crate::project;

/// Files of a crate that hold terms or notices, by the beginning of their names.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];

/// The report on these crates, the Rust library and the C library included.
///
/// # Errors
/// A crate that ships no text for a licence that is not Apache-2.0, unless `dist/licences/` has it.
pub(crate) fn report(crates: &[Crate]) -> Result<String, Failure> {
    let apache = project::read_text(&project::root().join("LICENSE"))?;
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut by_text = |text: &str, who: String| {
        texts.entry(text.trim().to_owned()).or_default().push(who);
    };
    by_text(&apache, "hikyaku, the Rust standard library".to_owned());
    for one in crates {
        let Some(folder) = &one.folder else { continue };
        let who = format!("{} {} ({})", one.name, one.version, one.licence);
        let found = files(folder)?;
        if allows_apache(&one.licence) {
            // One of several licences is enough, and this one's text is the same for all; its notices are not.
            by_text(&apache, who.clone());
            for notice in found.iter().filter(|path| name(path).starts_with("NOTICE")) {
                by_text(&project::read_text(notice)?, who.clone());
            }
            continue;
        }
        let kept = project::root().join("dist/licences").join(format!("{}.txt", one.name));
        let found = if found.is_empty() && kept.is_file() { vec![kept] } else { found };
        if found.is_empty() {
            return Err(Failure::new(format!(
                "{who} comes without a licence text; put it into dist/licences/{}.txt",
                one.name
            )));
        }
        for file in found {
            by_text(&project::read_text(&file)?, who.clone());
        }
    }
    let musl = project::root().join("dist/licences/musl.txt");
    by_text(&project::read_text(&musl)?, "musl (MIT)".to_owned());
    let mut report = String::from("What this program is made of, and the terms of each part.\n");
    let mut sections: Vec<(String, Vec<String>)> = texts.into_iter().collect();
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

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in folder.read_dir().at(folder)? {
        let path = entry.at(folder)?.path();
        let name = name(&path);
        if path.is_file() && NAMES.iter().any(|known| name.starts_with(known)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default()
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
    fn apache_can_be_chosen_where_it_is_an_alternative_only() {
        for licence in ["Apache-2.0", "MIT OR Apache-2.0", "MIT/Apache-2.0", "Apache-2.0 / MIT"] {
            assert!(allows_apache(licence), "{licence}");
        }
        for licence in ["MIT", "Apache-2.0 AND ISC", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
            assert!(!allows_apache(licence), "{licence}");
        }
    }
}
