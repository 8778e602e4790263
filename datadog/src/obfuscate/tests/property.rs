//! What has to hold for any text.

use proptest::prelude::*;

use crate::obfuscate::{Family, NON_PARSABLE, Obfuscator, Treatment};

/// Statements that are mostly such, and texts that are not.
fn texts() -> impl Strategy<Value = String> {
    const PIECES: [&str; 60] = [
        "SELECT",
        "FROM",
        "WHERE",
        "AS",
        "as",
        "IN",
        "SAVEPOINT",
        "NULL",
        "true",
        "t",
        "a.b",
        "x1",
        "é",
        "日本",
        "(",
        ")",
        ",",
        ";",
        "=",
        "==",
        ":=",
        "::",
        ":n",
        "$1",
        "$$",
        "$t$",
        "$",
        "?",
        "%s",
        "%(n)s",
        "@v",
        "#",
        "--",
        "\n",
        "/*",
        "*/",
        "//",
        "{",
        "}",
        "[",
        "]",
        "'",
        "''",
        "'x'",
        "\"",
        "\"y\"",
        "`",
        "\\",
        "-.",
        "->",
        "1",
        "0x1f",
        "1.5e-3",
        "-",
        ".",
        "!",
        "\0",
        "\u{a0}",
        " ",
        "  ",
    ];
    prop_oneof![
        3 => prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40).prop_map(|pieces| pieces.join(" ")),
        3 => prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40).prop_map(|pieces| pieces.concat()),
        1 => ".{0,100}",
        1 => "[a-z]{0,5}:?/{0,3}[a-zA-Z@:%.?#\\[\\]/ é0-9]{0,30}",
    ]
}

proptest! {
    #[test]
    fn a_statement_grows_by_no_more_than_its_own_length(text in texts()) {
        let mut obfuscator = Obfuscator::new();
        let became = obfuscator.resource(Family::Sql, &text);
        prop_assert!(became == NON_PARSABLE || became.len() <= 2 * text.len(), "{became}");
    }

    #[test]
    fn commands_and_urls_are_bounded_too(text in texts()) {
        let mut obfuscator = Obfuscator::new();
        // Capitals may take a byte or two more than what they are capitals of.
        prop_assert!(obfuscator.resource(Family::Redis, &text).len() <= 3 * text.len() + 4);
        prop_assert!(obfuscator.value(Treatment::Url, &text).unwrap().len() <= 3 * text.len() + 2);
    }

    #[test]
    fn other_spans_are_left_alone(text in texts()) {
        let mut obfuscator = Obfuscator::new();
        prop_assert_eq!(obfuscator.resource(Family::Other, &text), &text);
        prop_assert_eq!(obfuscator.resource(Family::Web, &text), &text);
        prop_assert_eq!(obfuscator.value(Treatment::Keep, &text), Some(text.as_str()));
    }

    #[test]
    fn a_url_that_was_written_is_not_written_again(text in texts()) {
        // Without a scheme, what is left of a URL may look like the beginning of another.
        prop_assume!(!text.starts_with('/'));
        let mut obfuscator = Obfuscator::new();
        let once = obfuscator.value(Treatment::Url, &text).unwrap().to_owned();
        let twice = obfuscator.value(Treatment::Url, &once).unwrap();
        prop_assert_eq!(twice, &once);
    }

    #[test]
    fn a_secret_in_quotes_is_not_seen(
        secret in "[a-zA-Z0-9 é,.;:()\\-]{4,20}",
        place in prop::sample::select(&[
            "SELECT a FROM t WHERE b = '{}'",
            "INSERT INTO t (a, b) VALUES (1, '{}'), ('{}', NULL)",
            "UPDATE t SET a = '{}', b=\"{}\" WHERE c IN ('{}', '{}')",
            "SELECT a FROM t /* {} */ WHERE b LIKE '{}%' -- {}",
            "SELECT $x${}$x$, $${}$$, E'\\'{}'",
            "CALL p('it''s {}', N'{}')",
        ][..]),
    ) {
        let statement = place.replace("{}", &format!("#{secret}#"));
        let mut obfuscator = Obfuscator::new();
        let became = obfuscator.resource(Family::Sql, &statement);
        prop_assert_ne!(became, NON_PARSABLE);
        prop_assert!(!became.contains(&secret), "{became}");
    }

    #[test]
    fn a_password_before_a_host_is_not_seen(
        scheme in "[a-z]{3,8}",
        user in "[a-zA-Z0-9._~!$&'()*+,;=-]{0,8}",
        secret in "[a-zA-Z0-9]{6,12}",
        rest in "(:[0-9]{1,4})?(/[a-z0-9/]{0,10})?(\\?[a-z=&]{0,10})?",
    ) {
        let mut obfuscator = Obfuscator::new();
        let url = format!("{scheme}://{user}:{secret}@example.com{rest}");
        let became = obfuscator.value(Treatment::Url, &url).unwrap();
        prop_assert_eq!(became, format!("{scheme}://example.com{rest}"));
    }
}

/// Long ones of what a lexer could take too long for: each of them is looked at a few times at most, so that this is over at once.
#[test]
fn a_long_statement_is_read_to_its_end() {
    const LEN: usize = 1 << 20;
    for piece in [
        "(",
        "[",
        "1,",
        "a ",
        "'",
        "\"\"",
        "$a",
        "$$$",
        "%(",
        "{",
        "/*",
        "-.",
        "\\",
        "#",
        "AS [",
        "é",
        "(SELECT 1), ",
        "'\\",
    ] {
        let statement = format!("SELECT a {}", piece.repeat(LEN / piece.len()));
        let mut obfuscator = Obfuscator::new();
        let became = obfuscator.resource(Family::Sql, &statement);
        assert!(became == NON_PARSABLE || became.starts_with("SELECT a"), "{piece}");
    }
}
