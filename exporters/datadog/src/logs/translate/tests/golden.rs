//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON with log records, `out.json` the items that become of it.
//! `HIKYAKU_REFRESH_GOLDEN=1` writes them anew, to be reviewed as a diff.
//!
//! `reference.json` is what the reference Collector sends of it, and a matter of `tests/it/parity`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The fallback host in the reference's recordings.
const FALLBACK_HOST: &str = "parity-host";

fn cases() -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/translate");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases = folders.filter_map(|case| {
        let input = read(&case.join("in.json")).unwrap_or_else(|| panic!("{case:?}"));
        input.get("resourceLogs").is_some().then_some((case, input))
    });
    let mut cases: Vec<_> = cases.collect();
    cases.sort_by(|(a, _), (b, _)| a.cmp(b));
    cases
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

#[test]
fn every_case_of_logs_translates_to_what_is_on_file() {
    let cases = cases();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (case, input) in cases {
        let actual = Value::Array(super::items(&super::payload(&input), FALLBACK_HOST));
        let path = case.join("out.json");
        if std::env::var_os("HIKYAKU_REFRESH_GOLDEN").is_some() {
            let pretty = serde_json::to_string_pretty(&actual).unwrap();
            fs::write(path, pretty + "\n").unwrap();
        } else if read(&path).unwrap_or_default() != actual {
            wrong.push(format!("{}\nactual {actual:#}", name(&case)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
