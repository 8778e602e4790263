use serde_json::json;
use tempfile::tempdir;

use super::*;

/// What a function panics with.
fn panic_of<T>(run: impl FnOnce() -> T + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(run).map(drop).unwrap_err();
    *panic.downcast().unwrap()
}

#[test]
fn cases_come_in_the_order_of_their_names() {
    let folder = tempdir().unwrap();
    for name in ["b", "a", "c_2", "c_10"] {
        std::fs::create_dir_all(folder.path().join("testdata").join(name)).unwrap();
    }
    let cases = cases(folder.path().to_str().unwrap(), "testdata");
    let expected = ["a", "b", "c_10", "c_2"].map(|name| folder.path().join("testdata").join(name));
    assert_eq!(cases, expected);
}

#[test]
fn a_folder_that_is_not_there_and_one_without_cases_fail_by_name() {
    let folder = tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(panic_of(|| cases(path, "empty")), format!("{path}/empty has no cases"));
    let missing = panic_of(|| cases(path, "missing"));
    assert!(missing.starts_with(&format!("{path}/missing: ")), "{missing}");
}

#[test]
fn a_file_is_read_or_missed_and_fails_by_name_when_it_is_no_json() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("in.json");
    assert_eq!((text(&path), json(&path)), (None, None));
    assert_eq!(panic_of(|| input(folder.path())), format!("{} is not there", path.display()));
    write(&path, "{\"a\": 1}");
    assert_eq!(input(folder.path()), "{\"a\": 1}");
    assert_eq!(json(&path), Some(json!({"a": 1})));
    write(&path, "{\"a\": ");
    let wrong = panic_of(|| json(&path));
    assert!(wrong.starts_with(&path.display().to_string()), "{wrong}");
    // A folder is there, and can't be read as a file.
    let unreadable = panic_of(|| text(folder.path()));
    assert!(unreadable.starts_with(&folder.path().display().to_string()), "{unreadable}");
}

#[test]
fn what_is_written_is_what_compares_as_the_same() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.json");
    let value = json!({"b": [1, 0.1, {}], "a": "é\n"});
    write(&path, &pretty(&value));
    let lines = "{\n  \"a\": \"é\\n\",\n  \"b\": [\n    1,\n    0.1,\n    {}\n  ]\n}\n";
    assert_eq!(text(&path).as_deref(), Some(lines));
    assert_eq!(compare(&path, &value, Value::eq), None);
}

#[test]
fn a_difference_names_the_file_and_shows_both_sides() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.json");
    write(&path, "1");
    let different = compare(&path, &json!(2), Value::eq).unwrap();
    assert_eq!(different, format!("{}\nexpected 1\nactual 2", path.display()));
    let by = |a: &Value, b: &Value| a.is_number() && b.is_number();
    assert_eq!(compare(&path, &json!(2), by), None);
    assert_eq!(compare_text(&path, "1"), None);
    let different = compare_text(&path, "2").unwrap();
    assert_eq!(different, format!("{}\nexpected:\n1\nactual:\n2", path.display()));
}

#[test]
fn what_is_not_on_file_is_a_difference_even_from_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("out.json");
    let missing = compare(&path, &Value::Null, Value::eq).unwrap();
    assert_eq!(missing, format!("{}\nexpected null\nactual null", path.display()));
    assert!(compare_text(&path, "").is_some());
}

#[test]
fn all_differences_are_told_at_once() {
    assert_none([]);
    assert_eq!(panic_of(|| assert_none(["a".to_owned(), "b".to_owned()])), "a\n\nb");
}
