//! What we send is what the reference Collector's components send, but for the differences that are listed.
//!
//! The references are recorded by the programs in `tests/parity`; `cargo xtask parity` refreshes them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::Value;
use tests::parity::{Comparison, Difference, Listed};
use tests::parts::project;

mod awsxray;
mod compare;
mod datadog;
mod zipkin;

/// One recorded case.
struct Case {
    name: String,
    folder: PathBuf,
    /// The requests, one after the other.
    requests: Vec<Value>,
    reference: Value,
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let requests = match json(&folder.join("in.json")) {
            Value::Array(requests) => requests,
            request => vec![request],
        };
        let reference = json(&folder.join("reference.json"));
        Self { name, folder, requests, reference }
    }

    /// The text of a file of settings; nothing when there is none.
    fn settings(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.join(file)).ok()
    }

    /// The path of OTLP over HTTP that its requests go to.
    fn path(&self) -> &'static str {
        let has = |key: &str| self.requests.iter().any(|request| request.get(key).is_some());
        if has("resourceMetrics") {
            "/v1/metrics"
        } else if has("resourceLogs") {
            "/v1/logs"
        } else {
            "/v1/traces"
        }
    }
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| {
        panic!("{}: {error}: record it with `cargo xtask parity`", path.display())
    });
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares every case below a component's folder, several at a time, with the differences listed beside them.
fn assert_parity(component: &str, differences: impl Fn(&Case) -> Vec<Difference> + Sync) {
    let testdata = project().join(component).join("testdata");
    let list = std::fs::read_to_string(testdata.join("differences.txt")).unwrap();
    let listed = Listed::read(&list).unwrap_or_else(|error| panic!("differences.txt: {error}"));
    let folders = testdata.join("translate").read_dir().unwrap();
    let cases: Vec<Case> = folders.map(|entry| Case::read(entry.unwrap().path())).collect();
    assert!(cases.len() > 30, "only {} cases", cases.len());
    let (next, found) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let case = next.lock().unwrap().next();
                    let Some(case) = case else { break };
                    let differences = differences(case);
                    found.lock().unwrap().push((&case.name, differences));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(name, _)| *name);
    let mut complaints = Vec::new();
    for (name, differences) in found {
        let unlisted = listed.unlisted(name, differences);
        complaints.extend(unlisted.iter().map(|difference| format!("{name} {difference}")));
    }
    complaints.extend(listed.stale().into_iter().map(|line| format!("no longer occurs: {line}")));
    assert!(
        complaints.is_empty(),
        "differences that are not listed in {component}/testdata/differences.txt, or listed and not there:\n  {}",
        complaints.join("\n  ")
    );
}

/// On a wire with protobuf.
const WIRE: Comparison = Comparison { defaults_are_absent: true };
