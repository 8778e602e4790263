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
            "service/",
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
        allowed_in: &["service/", "tests/", "xtask/"],
        reason: "the binaries share one way to make a runtime",
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
    let files = rust_files();
    let tests = TestModules::of(&files);
    let mut complaints = Vec::new();
    for file in &files {
        let lines = production(file, &tests);
        for rule in RULES {
            let allowed = rule.allowed_in.iter().any(|folder| file.path.starts_with(folder));
            if !allowed && lines.iter().any(|(_, line)| line.contains(rule.text)) {
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
    let files = rust_files();
    let tests = TestModules::of(&files);
    let mut complaints = Vec::new();
    for file in &files {
        let globs = production(file, &tests).into_iter().filter(|(_, line)| glob(line));
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
    let tests = TestModules::of(&rust_files());
    let mut complaints = Vec::new();
    for file in text_files() {
        // A test may make up a path that is never opened.
        let made_up = tests.hold(&file.path);
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
fn production<'a>(file: &'a TextFile, tests: &TestModules) -> Vec<(usize, &'a str)> {
    if tests.hold(&file.path) {
        return Vec::new();
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let end = lines.windows(2).position(|pair| {
        pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod tests {")
    });
    let lines = lines.into_iter().take(end.unwrap_or(usize::MAX)).enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines.map(|(number, line)| (number + 1, line)).collect()
}

/// Files that are compiled for tests only.
struct TestModules {
    /// Beginnings of paths: `exporters/debug/src/fixtures` for a module `fixtures` of `exporters/debug/src/lib.rs`.
    modules: Vec<String>,
}

impl TestModules {
    fn of(files: &[TextFile]) -> Self {
        let mut modules = Vec::new();
        for file in files {
            let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
            for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
                let module = pair[1].trim_start_matches("pub(crate) ").strip_prefix("mod ");
                if let Some(module) = module.and_then(|module| module.strip_suffix(';')) {
                    modules.push(format!("{}/{module}", folder_of_modules(&file.path)));
                }
            }
        }
        assert!(modules.len() > 5, "the project has more test modules than {modules:?}");
        Self { modules }
    }

    fn hold(&self, path: &str) -> bool {
        let module = path.trim_end_matches(".rs");
        path.starts_with("tests/it/")
            || path.contains("/tests/")
            || path.contains("/benches/")
            || self.modules.iter().any(|known| {
                module
                    .strip_prefix(known.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }
}

/// Where the modules that a file declares are: beside a root, else in the folder that bears the file's name.
fn folder_of_modules(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder,
        _ => path.trim_end_matches(".rs"),
    }
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
