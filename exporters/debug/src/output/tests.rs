use std::io::{PipeReader, Read as _};
use std::os::fd::OwnedFd;

use pipeline::testing::within_patience;

use super::*;

/// Does not wait for anybody.
const IMPATIENT: Patience = Patience { stall: Duration::ZERO, total: Duration::from_secs(60) };

fn pipe() -> (PipeReader, File) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader, File::from(OwnedFd::from(writer)))
}

async fn write(outputs: &Outputs, text: &str) -> Result<(), WriteError> {
    let text = text.as_bytes().to_vec();
    within_patience("the text to be written or given up", outputs.write(move || text)).await
}

#[tokio::test]
async fn text_goes_to_every_output_and_is_appended_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("a"), "before\n").unwrap();
    let outputs = Outputs::new(vec![path("a"), format!("file://{}", path("b"))]);
    outputs.open().await.unwrap();
    outputs.open().await.unwrap();
    write(&outputs, "one\n").await.unwrap();
    write(&outputs, "two\n").await.unwrap();
    assert_eq!(std::fs::read_to_string(path("a")).unwrap(), "before\none\ntwo\n");
    assert_eq!(std::fs::read_to_string(path("b")).unwrap(), "one\ntwo\n");
    assert_eq!(outputs.screen().await, Screen { is_terminal: false, columns: None });
}

#[tokio::test]
async fn file_that_cannot_be_opened_is_named_with_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let error = Outputs::new(vec![path.clone()]).open().await.unwrap_err();
    assert!(error.contains(&path) && error.contains("output_paths"), "{error}");
}

#[tokio::test]
async fn reader_that_went_away_is_an_error_each_time_and_no_end_of_the_process() {
    let (reader, writer) = pipe();
    let outputs = Outputs::to_files(vec![writer], IMPATIENT);
    drop(reader);
    for _ in 0..2 {
        assert_eq!(write(&outputs, "text\n").await, Err(WriteError::Failed(Errno::PIPE)));
    }
}

#[tokio::test]
async fn reader_that_stops_reading_stalls_and_gets_every_taken_text_whole_later() {
    let (mut reader, writer) = pipe();
    let outputs = Outputs::to_files(vec![writer], IMPATIENT);
    let line = format!("{}\n", "x".repeat(9_999));
    let mut taken = 0;
    // A pipe holds 64 KiB, or less on other systems.
    while write(&outputs, &line).await.is_ok() {
        taken += 1;
        assert!(taken < 1_000, "the pipe never fills");
    }
    assert_eq!(write(&outputs, &line).await, Err(WriteError::Stalled));
    let mut got = vec![0; 10_000 * taken - 10_000];
    reader.read_exact(&mut got).unwrap();
    write(&outputs, "end\n").await.unwrap();
    drop(outputs);
    reader.read_to_end(&mut got).unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), format!("{}end\n", line.repeat(taken)));
}

#[tokio::test]
async fn one_output_that_takes_the_text_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("a")).unwrap();
    let (reader, writer) = pipe();
    drop(reader);
    let outputs = Outputs::to_files(vec![writer, file], IMPATIENT);
    write(&outputs, "text\n").await.unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), "text\n");
}

#[tokio::test(start_paused = true)]
async fn text_behind_a_writer_that_never_comes_back_is_given_up() {
    let outputs = Outputs::new(vec!["stdout".to_owned()]);
    let _stuck = outputs.targets.clone().lock_owned().await;
    assert_eq!(outputs.write(Vec::new).await, Err(WriteError::Stalled));
}
