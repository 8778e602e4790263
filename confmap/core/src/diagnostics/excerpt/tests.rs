use proptest::prelude::{any, prop_assert, proptest};

use super::{MAX_COLUMNS, cut};

fn shown(text: &str) -> String {
    cut(text, 1, 1, false).line
}

#[test]
fn the_marks_stand_below_the_place() {
    let place = cut("  port: 4317", 9, 4, false);
    assert_eq!((place.line.as_str(), place.marks.as_str()), ("  port: 4317", "        ^^^^"));
    let end = cut("port:", 6, 1, false);
    assert_eq!((end.line.as_str(), end.marks.as_str()), ("port:", "     ^"));
    let beyond = cut("a", 9, 3, false);
    assert_eq!(beyond.marks, "        ^");
    let tab = cut("\tä: b", 5, 1, false);
    assert_eq!((tab.line.as_str(), tab.marks.as_str()), (" ä: b", "    ^"));
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("{}x{}", "a".repeat(500), "b".repeat(500));
    let place = cut(&text, 501, 1, false);
    assert!(place.line.starts_with('…') && place.line.ends_with('…'));
    let column = place.marks.chars().count() - 1;
    assert_eq!(place.line.chars().nth(column), Some('x'));
    assert!(place.line.chars().count() <= MAX_COLUMNS + 2);
}

#[test]
fn values_of_keys_that_sound_secret_are_masked() {
    let cases = [
        ("password: hunter2", "password: *******"),
        ("  api_key: \"ab cd\" # e", "  api_key: *** *** * *"),
        ("x-api-key: abc", "x-api-key: ***"),
        ("Authorization: Bearer abc", "Authorization: ****** ***"),
        ("{user: u, client_secret: s, a: b}", "{user: u, client_secret: ** ** **"),
        ("\"token\": \"abc\"", "\"token\": *****"),
        ("password=abc", "password=***"),
        ("password: ${env:PASSWORD}", "password: ${env:PASSWORD}"),
        ("password: \"${env:PASSWORD}\"", "password: \"${env:PASSWORD}\""),
        ("passwords are no key", "passwords are no key"),
        ("endpoint: http://user:pw@host:1/p@q", "endpoint: http://*******@host:1/p@q"),
        ("endpoint: http://host:1/p@q", "endpoint: http://host:1/p@q"),
        ("endpoint: localhost:4317", "endpoint: localhost:4317"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn a_key_ends_the_line() {
    let key = cut("  passwrd: hunter2", 3, 7, true);
    assert_eq!((key.line.as_str(), key.marks.as_str()), ("  passwrd: …", "  ^^^^^^^"));
    let flow = cut("h: {authorization: abc, foo: x}", 25, 3, true);
    assert!(!flow.line.contains("abc") && !flow.line.contains('x'), "{}", flow.line);
}

proptest! {
    #[test]
    fn any_place_in_any_line_can_be_shown(
        text in any::<String>(), column in any::<u32>(), width in any::<u32>(), key in any::<bool>(),
    ) {
        let place = cut(&text, column, width, key);
        prop_assert!(place.marks.ends_with('^'));
        prop_assert!(place.line.chars().all(|c| !c.is_control()));
    }
}
