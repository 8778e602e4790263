//! Golden cases: `testdata/translate/<case>/in.json` is OTLP/JSON, `out.json` the Zipkin JSON body, `out.proto.json` the
//! protobuf body in JSON's form. `HIKYAKU_REFRESH_GOLDEN=1` writes both anew, to be reviewed as a diff.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::schema;
use crate::translate::{Format, Options, translate};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/translate");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn check(path: &Path, actual: &Value) -> Option<String> {
    if std::env::var_os("HIKYAKU_REFRESH_GOLDEN").is_some() {
        let pretty = serde_json::to_string_pretty(actual).unwrap();
        fs::write(path, pretty + "\n").unwrap();
        return None;
    }
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let expected: Value = serde_json::from_str(&text).unwrap();
    let case = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
    (expected != *actual)
        .then(|| format!("{}\nexpected {expected:#}\nactual {actual:#}", case.display()))
}

#[test]
fn every_case_translates_to_what_is_on_file() {
    let cases = cases();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let text = fs::read_to_string(case.join("in.json")).unwrap();
        let request = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{case:?}: {e}"));
        let payload = super::payload(&request);
        let body = translate(&payload, &Options::of(Format::Json)).body;
        schema::check_json(&body);
        let json = serde_json::from_slice(&body).unwrap();
        wrong.extend(check(&case.join("out.json"), &json));
        let proto = schema::proto_as_json(&translate(&payload, &Options::of(Format::Proto)).body);
        wrong.extend(check(&case.join("out.proto.json"), &proto));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
