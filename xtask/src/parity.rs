//! Recording what the reference Collector's components make of our cases.
//!
//! Each component has a Go program under `tests/parity/`, which pins the versions of the reference and writes a
//! `reference.json` beside each case. The tests read those; nothing else needs Go.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::command::{Failure, run_quietly, run_visibly};

/// Cases of one component that there is a reference for.
struct Recording {
    component: &'static str,
    /// The folder of the recorder, below `tests/parity/`, and what it is told beside the cases.
    recorder: &'static str,
    flags: &'static [&'static str],
    /// Their folder.
    cases: &'static str,
}

const RECORDINGS: &[Recording] = &[
    Recording {
        component: "datadog",
        recorder: "datadog",
        flags: &[],
        cases: "exporters/datadog/testdata/translate",
    },
    Recording {
        component: "datadog",
        recorder: "datadog",
        flags: &["-connector"],
        cases: "connectors/datadog/testdata/stats",
    },
    Recording {
        component: "zipkin",
        recorder: "zipkin",
        flags: &[],
        cases: "exporters/zipkin/testdata/translate",
    },
    Recording {
        component: "awsxray",
        recorder: "awsxray",
        flags: &[],
        cases: "exporters/awsxray/testdata/translate",
    },
    Recording {
        component: "awsxray",
        recorder: "awsxrayreceiver",
        flags: &[],
        cases: "receivers/awsxray/testdata/translate",
    },
];

/// The release that the recorders' modules ask for.
const GO: (u32, u32) = (1, 26);

/// Records the references of the named components, or of all that have cases.
pub(crate) fn refresh(root: &Path, names: &[String]) -> Result<(), Failure> {
    let mut components: Vec<&str> = RECORDINGS.iter().map(|one| one.component).collect();
    components.dedup();
    if let Some(unknown) = names.iter().find(|name| !components.contains(&name.as_str())) {
        let components = components.join(", ");
        return Err(Failure::new(format!(
            "there is no reference for {unknown:?}; there is one for {components}"
        )));
    }
    require_go()?;
    for recording in RECORDINGS {
        let named = names.iter().any(|name| name == recording.component);
        let cases = root.join(recording.cases);
        if !(named || names.is_empty() && cases.is_dir()) {
            continue;
        }
        println!("parity: recording {}", recording.cases);
        let folder = root.join("tests/parity").join(recording.recorder);
        let mut arguments = vec![OsStr::new("run"), OsStr::new(".")];
        arguments.extend(recording.flags.iter().map(OsStr::new));
        arguments.push(cases.as_os_str());
        run_visibly(Path::new("go"), &arguments, &folder)?;
    }
    Ok(())
}

fn require_go() -> Result<(), Failure> {
    let (major, minor) = GO;
    let remedy = format!(
        "recording references needs Go {major}.{minor} or newer (https://go.dev/dl/), the tests do not"
    );
    let mut version = Command::new("go");
    version.args(["env", "GOVERSION"]);
    let Ok(text) = run_quietly(version) else { return Err(Failure::new(remedy)) };
    if release(&text).is_some_and(|release| release >= GO) {
        return Ok(());
    }
    Err(Failure::new(format!("{remedy}; this is {}", text.trim())))
}

/// The release in a text such as `go1.26.8`.
fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("go")?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let digits: String = numbers.next()?.chars().take_while(char::is_ascii_digit).collect();
    Some((major, digits.parse().ok()?))
}
