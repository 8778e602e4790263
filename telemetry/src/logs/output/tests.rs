//! Tests of an output that stalls, breaks, or takes everything.

use std::{
    io::{PipeReader, Read, pipe},
    os::fd::OwnedFd,
    sync::mpsc,
    thread,
};

use super::*;

/// How long a test waits for what must not block.
const DEADLINE: Duration = Duration::from_secs(20);

fn pipe_output() -> (Output, PipeReader) {
    let (reader, writer) = pipe().expect("a pipe");
    (Output::new("pipe", Target::File(File::from(OwnedFd::from(writer)))), reader)
}

/// Runs `act` on another thread and fails if it does not come back.
fn within_deadline<T: Send + 'static>(what: &str, act: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, finished) = mpsc::channel();
    let _worker = thread::spawn(move || done.send(act()));
    let outcome = finished.recv_timeout(DEADLINE);
    outcome.unwrap_or_else(|_| panic!("waited {DEADLINE:?} for {what}"))
}

/// A line that is recognised whole, its number over and over, and takes three pieces: an odd number of pages, so that a
/// full pipe cuts one off.
fn line(number: usize) -> Vec<u8> {
    let mut line = format!("{number};").repeat(1800).into_bytes();
    line.push(b'\n');
    line
}

#[test]
fn a_reader_that_stalls_costs_lines_but_never_a_part_of_one() {
    let (mut output, mut reader) = pipe_output();
    let (mut output, mut kept) =
        within_deadline("writing to a pipe that nobody reads", move || {
            let mut kept = Vec::new();
            for number in 1000..2000 {
                match output.write(&line(number)) {
                    Ok(()) => kept.push(number),
                    Err(failure) => assert_eq!(failure.reason(), LogDropReason::OutputStalled),
                }
            }
            (output, kept)
        });
    assert!(!kept.is_empty() && kept.len() < 500, "{} of 1000 lines were kept", kept.len());
    assert!(output.stalled && !output.rest.is_empty(), "no line was cut off");

    // The pipe is emptied, and the next line goes through, after the rest of the one that was cut off.
    let mut read = vec![0; 1 << 20];
    let count = reader.read(&mut read).expect("reading");
    read.truncate(count);
    let written = output.write(&line(7000));
    assert!(written.is_ok() && !output.stalled, "{written:?}");
    kept.push(7000);
    drop(output);
    let _: usize = reader.read_to_end(&mut read).expect("reading to the end");

    let lines: Vec<&[u8]> = read.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), kept.len());
    for (found, number) in lines.iter().zip(kept) {
        assert!(*found == line(number), "line {number} is torn");
    }
}

#[test]
fn a_broken_pipe_is_an_error_that_is_noted_once() {
    let (mut output, reader) = pipe_output();
    drop(reader);
    let time = std::time::UNIX_EPOCH;
    let failure = output.write(b"x\n").expect_err("nobody can read this");
    assert_eq!(failure.reason(), LogDropReason::OutputFailed);
    let note = output.first_failure(time, &failure).expect("the first failure is noted");
    assert!(note.starts_with("1970-01-01T00:00:00.000Z write error: pipe: "), "{note}");
    assert!(note.ends_with('\n'));
    let failure = output.write(b"y\n").expect_err("nobody can read this either");
    assert_eq!(output.first_failure(time, &failure), None);
}

#[test]
fn a_failure_after_a_success_is_noted_again() {
    let (mut output, reader) = pipe_output();
    let failure = WriteFailure::Stalled;
    assert!(output.first_failure(std::time::UNIX_EPOCH, &failure).is_some());
    output.write(b"x\n").expect("the pipe has room");
    assert!(output.first_failure(std::time::UNIX_EPOCH, &failure).is_some());
    drop(reader);
}

#[test]
fn files_are_appended_to_by_path_and_by_url() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.log");
    let path = path.to_str().expect("UTF-8");
    std::fs::write(path, "before\n").expect("writing");
    let paths = [path.to_owned(), format!("file://{path}")];
    let mut outputs = open_all("output_paths", &paths).expect("both open");
    for output in &mut outputs {
        output.write(b"after\n").expect("a file takes it");
    }
    let text = std::fs::read_to_string(path).expect("reading");
    assert_eq!(text, "before\nafter\nafter\n");
}

#[test]
fn what_cannot_be_opened_is_refused_with_the_setting_and_the_path() {
    let refused = |path: &str| {
        let outcome = open_all("output_paths", &[path.to_owned()]);
        outcome.expect_err("this cannot be opened").to_string()
    };
    assert_eq!(
        refused("/nonexistent-folder/agent.log"),
        "service::telemetry::logs::output_paths: cannot open /nonexistent-folder/agent.log for appending"
    );
    for url in ["http://host/x", "file://relative", "lumberjack://x"] {
        assert!(refused(url).contains(&format!("no sink found for {url:?}")), "{url}");
    }
}
