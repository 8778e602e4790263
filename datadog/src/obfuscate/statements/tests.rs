//! What is remembered must not be seen in the answers.

use proptest::prelude::*;

use super::*;

/// The answers of the Agent's rule, with nothing remembered but how backslashes are read.
fn model(statements: &[&str]) -> Vec<String> {
    let mut literal_escapes = false;
    let mut out = sql::Buffer::default();
    let mut answer = |statement: &&str| {
        for way in [literal_escapes, !literal_escapes] {
            match sql::obfuscate(statement, way, &mut out) {
                Ok(()) => {
                    literal_escapes = way;
                    return out.written().to_owned();
                }
                Err(failure) if failure.seen_escape => {}
                Err(_) => break,
            }
        }
        NON_PARSABLE.to_owned()
    };
    statements.iter().map(&mut answer).collect()
}

proptest! {
    #[test]
    fn statements_that_come_again_become_the_same(
        picks in prop::collection::vec(prop::sample::select(&[
            "SELECT a FROM t WHERE b = 1",
            "SELECT a FROM t WHERE b = 2",
            "SELECT 'it\\'s', b",
            "SELECT 'c:\\', 'd'",
            "SELECT '\\', '\\'",
            "SELECT '\\' OR '",
            "SELECT \"\\a\"",
            "'never closed",
            "-- nothing",
            "a",
        ][..]), 0..60),
    ) {
        let mut statements = Statements::default();
        let became: Vec<String> = picks.iter().map(|it| statements.obfuscate(it).to_owned()).collect();
        prop_assert_eq!(became, model(&picks));
    }
}

#[test]
fn a_statement_is_kept_when_it_comes_back() {
    let mut statements = Statements::default();
    let kept = |statements: &mut Statements, statement| {
        let place = Cache::place(statement, false);
        statements.cache.contains(place, statement)
    };
    for statement in ["SELECT 1", "SELECT 1", "SELECT 1", "SELECT 2"] {
        statements.obfuscate(statement);
        assert!(!kept(&mut statements, "SELECT 1"), "one after the other is one");
    }
    statements.obfuscate("SELECT 1");
    assert!(kept(&mut statements, "SELECT 1"));
    assert!(!kept(&mut statements, "SELECT 2"));
}

#[test]
fn another_statement_with_the_same_place_is_not_the_last_one() {
    let mut statements = Statements::default();
    statements.obfuscate("SELECT 1");
    let place = Cache::place("SELECT 1", false);
    assert!(statements.last.is(place, "SELECT 1"));
    assert!(!statements.last.is(place, "SELECT 2"));
}

#[test]
fn only_statements_of_a_bounded_length_are_remembered() {
    let mut statements = Statements::default();
    for (len, is_last) in [(REPEATED_MAX, true), (REPEATED_MAX + 1, false)] {
        let statement = "a".repeat(len);
        assert_eq!(statements.obfuscate(&statement), statement);
        assert_eq!(statements.last.is(Cache::place(&statement, false), &statement), is_last);
    }
}
