use std::sync::Arc;

use crate::{
    Diagnostic, Diagnostics, Exposure, Node, Origin, Path, Source, limits::MAX_DIAGNOSTICS,
};

const YAML: &str = "receivers:\n  otlp:\n    endpoint: 4317\n    tags: [a, b]\n";

fn node() -> Node {
    Node::from_yaml("file:cfg.yaml", YAML).expect("YAML")
}

fn find(path: &[&str]) -> Node {
    path.iter().fold(node(), |node, key| node.get(key).expect("the key").clone())
}

#[test]
fn a_report_shows_place_line_caret_and_help() {
    let diagnostics = Diagnostics::new();
    let path = Path::from("receivers::otlp::endpoint");
    let value = find(&["receivers", "otlp", "endpoint"]);
    diagnostics.push(
        Diagnostic::decoding(&path, "expected type 'string', got unconvertible type 'int'")
            .at_value(&value)
            .note("a fact")
            .help("put the value in quotes"),
    );
    assert_eq!(
        diagnostics.render(false),
        "error: 'receivers.otlp.endpoint' expected type 'string', got unconvertible type 'int'
 --> cfg.yaml:3:15
  |
3 |     endpoint: 4317
  |               ^^^^
  = note: a fact
  = help: put the value in quotes
"
    );
    assert_eq!(diagnostics.to_string(), diagnostics.render(false).trim_end());
}

#[test]
fn a_report_in_colour_says_the_same() {
    let diagnostics = Diagnostics::new();
    let value = find(&["receivers", "otlp", "endpoint"]);
    diagnostics.push(Diagnostic::warning("receivers::otlp", "odd").at_value(&value).help("do"));
    let coloured = diagnostics.render(true);
    assert!(coloured.starts_with("\x1b[1;33mwarning\x1b[0m\x1b[1m: receivers::otlp: odd\x1b[0m\n"));
    let mut plain = coloured;
    for code in ["\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, diagnostics.render(false));
}

#[test]
fn a_key_is_shown_without_its_value() {
    let diagnostics = Diagnostics::new();
    let section = find(&["receivers", "otlp"]);
    let entry = section.as_map().and_then(|map| map.entry("endpoint")).expect("the key");
    diagnostics.push(Diagnostic::error("x", "no such key").at_key(&entry.key_origin));
    assert_eq!(
        diagnostics.render(false),
        "error: x: no such key\n --> cfg.yaml:3:5\n  |\n3 |     endpoint: …\n  |     ^^^^^^^^\n"
    );
}

#[test]
fn a_rule_and_a_value_are_worded_as_the_collector_words_them() {
    let path = Path::from("service::extensions").index(0);
    let rule = Diagnostic::error(&path, "must not be empty");
    assert_eq!(rule.to_string(), "service::extensions::0: must not be empty");
    let value = Diagnostic::decoding(&path, "has invalid keys: foo");
    assert_eq!(value.to_string(), "'service.extensions[0]' has invalid keys: foo");
    let general = Diagnostic::error(Path::root(), "empty configuration file");
    assert_eq!(general.to_string(), "empty configuration file");
}

#[test]
fn diagnostics_come_in_the_order_of_files_and_lines() {
    let source = |order| Arc::new(Source::new("s", "", Exposure::Shown, order));
    let (first, second) = (source(0), source(1));
    let at = |source: &Arc<Source>, line, column| Origin::new(source.clone(), line, column, 1);
    let diagnostics = Diagnostics::new();
    diagnostics.push(Diagnostic::error("", "6"));
    diagnostics.push(Diagnostic::error("", "5").at(&at(&second, 1, 1)));
    diagnostics.push(Diagnostic::warning("", "3").at(&at(&first, 10, 1)));
    diagnostics.push(Diagnostic::error("", "2").at(&at(&first, 2, 7)));
    diagnostics.push(Diagnostic::error("", "1").at(&at(&first, 2, 3)));
    diagnostics.push(Diagnostic::error("", "4").at(&at(&first, 10, 1)));
    let order: Vec<_> = diagnostics.sorted().iter().map(|d| d.message().to_owned()).collect();
    assert_eq!(order, ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn hidden_text_is_not_repeated() {
    for exposure in [Exposure::Hidden, Exposure::Secret] {
        let source = Arc::new(Source::new("env:X", "secret", exposure, 0));
        let diagnostics = Diagnostics::new();
        diagnostics.push(Diagnostic::error("a", "wrong").at(&Origin::new(source, 1, 1, 6)));
        assert_eq!(diagnostics.render(false), "error: a: wrong\n --> env:X:1:1\n");
    }
}

#[test]
fn warnings_alone_are_no_errors() {
    let diagnostics = Diagnostics::new();
    assert!(diagnostics.is_empty() && diagnostics.render(false).is_empty());
    diagnostics.push(Diagnostic::warning("a", "odd"));
    assert!(!diagnostics.has_errors() && !diagnostics.is_empty());
    diagnostics.push(Diagnostic::error("a", "wrong"));
    assert!(diagnostics.has_errors());
    assert_eq!(diagnostics.error_count(), 1);
}

#[test]
fn what_goes_beyond_the_limit_is_counted_and_an_error_is_kept() {
    let diagnostics = Diagnostics::new();
    for _ in 0..MAX_DIAGNOSTICS + 5 {
        diagnostics.push(Diagnostic::warning("a", "odd"));
    }
    for _ in 0..3 {
        diagnostics.push(Diagnostic::error("b", "wrong"));
    }
    let report = diagnostics.render(false);
    assert_eq!(report.matches("warning: ").count(), MAX_DIAGNOSTICS - 1);
    assert_eq!(report.matches("error: ").count(), 1);
    assert!(report.ends_with("8 more errors and warnings are not shown\n"), "{report}");
    assert_eq!(diagnostics.error_count(), 3);
}

#[test]
fn appending_keeps_all_that_was_said() {
    let (all, more) = (Diagnostics::new(), Diagnostics::new());
    all.push(Diagnostic::warning("a", "odd"));
    more.push(Diagnostic::error("b", "wrong"));
    more.add_secret_path(&Path::from("c"));
    all.append(more);
    assert_eq!((all.sorted().len(), all.error_count()), (2, 1));
    assert_eq!(all.secret_paths(), [Path::from("c")].into());
}

#[test]
fn text_from_outside_cannot_drive_the_terminal() {
    let diagnostics = Diagnostics::new();
    let value = Node::from_yaml("file:\x1b[2J", "a: \u{202e}x\n").expect("YAML");
    let a = value.get("a").expect("a");
    diagnostics.push(Diagnostic::error("a\x1b[1m", "b\x07").at_value(a).help("c\r").note("d\x08"));
    let report = diagnostics.render(false);
    assert!(report.chars().all(|c| !c.is_control() || c == '\n'), "{report:?}");
    assert!(!report.contains('\u{202e}'));
}

#[test]
fn users_and_passwords_in_urls_are_repeated_nowhere() {
    let value = Node::from_yaml("file:c.yaml", "a: 'ftp://u:canary/x@h'\n").expect("YAML");
    let diagnostics = Diagnostics::new();
    let url = "ftp://u:canary/x@h";
    let error = Diagnostic::error("a", format!("{url:?} is no URL of http"));
    let error = error.at_value(value.get("a").expect("a"));
    diagnostics.push(error.help(format!("not {url}")).note(format!("came from {url}")));
    let report = diagnostics.render(false);
    assert!(!report.contains("canary"), "{report}");
    assert_eq!(report.matches("ftp://[REDACTED]@h").count(), 3, "{report}");
}
