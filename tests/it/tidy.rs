//! The repository's rules: what may depend on what, what a component's folder holds, and what source files may say.

use std::path::{Path, PathBuf};

use tests::parts::project;

mod components;
mod dependencies;
mod readmes;
mod sources;

/// A text file of the project.
struct TextFile {
    /// Relative to the project's folder, with `/` between its parts.
    path: String,
    text: String,
}

/// Every text file of the project that is not made by a tool.
fn text_files() -> Vec<TextFile> {
    let mut files = Vec::new();
    collect(project(), &mut files);
    assert!(files.len() > 50, "the project has more than {} files", files.len());
    files
}

fn collect(folder: &Path, files: &mut Vec<TextFile>) {
    const MADE_BY_TOOLS: [&str; 5] = [".git", "target", ".parts", "node_modules", "__pycache__"];
    let mut entries: Vec<PathBuf> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A work tree of git's has a file of that name.
        if MADE_BY_TOOLS.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let path = path.strip_prefix(project()).unwrap().to_string_lossy().replace('\\', "/");
            files.push(TextFile { path, text });
        }
    }
}

/// Fails with every complaint at once.
fn assert_none(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}
