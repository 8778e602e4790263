//! What source files may hold.

use super::{TextFile, assert_none, text_files};

const LINES_MAX: usize = 600;

/// Files that may be longer, each with its reason. An entry that is no longer needed is a complaint, too.
const LONGER: &[(&str, &str)] = &[];

/// A text that production code may hold in some folders only.
struct Rule {
    text: &'static str,
    /// Folders or files, by the beginning of their paths.
    allowed_in: &'static [&'static str],
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        text: "env::args",
        allowed_in: &["agent/", "extension/", "xtask/"],
        reason: "only a binary reads its arguments",
    },
    Rule {
        text: "env::var",
        allowed_in: &[
            "agent/",
            "extension/",
            "aws/",
            "confmap/",
            // Whether the terminal wants colour.
            "exporters/debug/src/style.rs",
            // The usual variables for proxies and certificates.
            "net/",
            "tests/",
            "xtask/",
        ],
        reason: "configuration comes through the providers",
    },
    Rule {
        text: "signal::unix",
        allowed_in: &["agent/", "extension/", "xtask/"],
        reason: "only a binary handles signals",
    },
    Rule {
        text: "runtime::Builder",
        allowed_in: &["agent/", "extension/", "tests/", "xtask/"],
        reason: "only a binary chooses the runtime",
    },
    Rule {
        text: "#[tokio::main",
        allowed_in: &["agent/", "extension/", "xtask/"],
        reason: "only a binary chooses the runtime",
    },
    Rule {
        text: "thread::sleep",
        allowed_in: &["tests/src/wait.rs", "xtask/bench/src/process.rs"],
        reason: "wait for the thing itself, under a deadline",
    },
];

#[test]
fn no_file_is_too_long_to_read() {
    let files = rust_files();
    let mut complaints = Vec::new();
    for file in &files {
        let lines = file.text.lines().count();
        let excepted = LONGER.iter().any(|(path, _)| *path == file.path);
        if lines > LINES_MAX && !excepted {
            complaints.push(format!("{} has {lines} lines", file.path));
        }
        if lines <= LINES_MAX && excepted {
            complaints.push(format!("{} needs no exception", file.path));
        }
    }
    for (path, reason) in LONGER {
        if reason.is_empty() || files.iter().all(|file| file.path != *path) {
            complaints.push(format!("the exception for {path} has no reason or no file"));
        }
    }
    assert_none("a file of more than 600 lines", &complaints);
}

#[test]
fn the_process_is_touched_where_it_may_be_only() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        for rule in RULES {
            let allowed = rule.allowed_in.iter().any(|folder| file.path.starts_with(folder));
            if !allowed && production(&file).any(|(_, line)| line.contains(rule.text)) {
                complaints.push(format!("{}: {} ({})", file.path, rule.text, rule.reason));
            }
        }
    }
    assert_none("something that belongs elsewhere", &complaints);
}

#[test]
fn lints_are_expected_not_allowed() {
    // In parts, or this file would complain about itself.
    let allow = ["[", "allow("].concat();
    let complaints = lines_where(|_, line| line.contains(&allow));
    assert_none("an `expect` with a reason says when it is no longer needed", &complaints);
}

#[test]
fn names_are_imported_one_by_one() {
    let glob = |line: &str| {
        let line = line.trim_start().trim_start_matches("pub ");
        line.starts_with("use ") && line.trim_end().ends_with("::*;")
    };
    let mut complaints = Vec::new();
    for file in rust_files() {
        let globs = production(&file).filter(|(_, line)| glob(line));
        complaints.extend(globs.map(|(number, line)| format!("{}:{number}: {line}", file.path)));
    }
    assert_none("a glob import", &complaints);
}

#[test]
fn tests_are_named_as_sentences() {
    let prefix = ["fn ", "test_"].concat();
    let complaints = lines_where(|_, line| line.trim_start().starts_with(&prefix));
    assert_none("a test whose name begins with test_", &complaints);
}

#[test]
fn what_is_left_to_do_names_its_issue() {
    let words = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()];
    let complaints = lines_where(|_, line| {
        let comment = line.split_once("//").map(|(_, comment)| comment).unwrap_or_default();
        words.iter().any(|word| comment.contains(word.as_str())) && !comment.contains("(#")
    });
    assert_none("a note without an issue", &complaints);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // In parts, or this file would complain about itself.
    let anywhere = [["/wo", "rk/"], ["/fa", "rm/"], ["/ro", "ot/"]].map(|parts| parts.concat());
    let temporary = ["/t", "mp/"].concat();
    let mut complaints = Vec::new();
    for file in text_files() {
        // A test may make up a path that is never opened.
        let made_up = file.path.ends_with(".rs") && production(&file).next().is_none();
        for (number, line) in file.text.lines().enumerate() {
            let named = anywhere.iter().any(|place| names_place(line, place));
            if named || (!made_up && names_place(line, &temporary)) {
                complaints.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    assert_none("a path of one machine", &complaints);
}

#[test]
fn lock_files_name_no_registry_mirror() {
    let mut complaints = Vec::new();
    for file in text_files() {
        let sources: Vec<&str> = match file.path.rsplit('/').next() {
            Some("package-lock.json") => {
                file.text.lines().filter(|line| line.contains("\"resolved\"")).collect()
            }
            Some("Cargo.lock") => {
                let sources = file.text.lines().filter(|line| line.starts_with("source = "));
                sources
                    .filter(|line| !line.contains("github.com/rust-lang/crates.io-index"))
                    .collect()
            }
            _ => continue,
        };
        complaints.extend(sources.iter().map(|line| format!("{}: {}", file.path, line.trim())));
    }
    assert_none("a package from somewhere else", &complaints);
}

/// Whether the line holds the place as the beginning of a path, not as the middle of another one or of a URL.
fn names_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && !"._-*}".contains(c))
    })
}

fn rust_files() -> Vec<TextFile> {
    let files = text_files().into_iter().filter(|file| file.path.ends_with(".rs"));
    files.collect()
}

/// The numbered lines of a file that are neither tests nor comments.
fn production(file: &TextFile) -> impl Iterator<Item = (usize, &str)> {
    let path = &file.path;
    let tests = path.ends_with("/tests.rs")
        || path.contains("/tests/")
        || path.contains("/benches/")
        || path.starts_with("tests/it/");
    let lines = file.text.lines().enumerate().map(|(number, line)| (number + 1, line));
    lines
        .take_while(move |(_, line)| !tests && !line.trim_start().starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn lines_where(complaint: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in rust_files() {
        for (number, line) in file.text.lines().enumerate() {
            if complaint(&file.path, line) {
                complaints.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    complaints
}
