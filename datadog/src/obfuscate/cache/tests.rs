//! Keeping and letting go.

use super::*;

/// Lets `statement` miss once.
fn miss(cache: &mut Cache, statement: &str) {
    let place = Cache::place(statement, false);
    assert!(!cache.contains(place, statement), "{statement}");
    cache.put(place, statement, &statement.to_uppercase());
}

fn has(cache: &mut Cache, statement: &str) -> bool {
    let place = Cache::place(statement, false);
    cache.contains(place, statement) && cache.get(place) == statement.to_uppercase()
}

/// Another statement with the place of `statement`.
fn rival(statement: &str) -> String {
    let place = Cache::place(statement, false);
    let mut others = (0..).map(|number| format!("rival {number}"));
    others.find(|other| Cache::place(other, false).slot == place.slot).unwrap()
}

#[test]
fn what_misses_twice_is_kept() {
    let mut cache = Cache::default();
    miss(&mut cache, "a");
    miss(&mut cache, "a");
    assert!(has(&mut cache, "a"));
}

#[test]
fn what_comes_once_pushes_nothing_out() {
    let mut cache = Cache::default();
    miss(&mut cache, "a");
    miss(&mut cache, "a");
    let rival = rival("a");
    for _ in 0..5 {
        miss(&mut cache, &rival);
        assert!(has(&mut cache, "a"), "and a hit in between makes it the first time again");
    }
}

#[test]
fn what_comes_no_more_makes_room() {
    let mut cache = Cache::default();
    miss(&mut cache, "a");
    miss(&mut cache, "a");
    let rival = rival("a");
    miss(&mut cache, &rival);
    miss(&mut cache, &rival);
    assert!(has(&mut cache, &rival));
    assert!(!has(&mut cache, "a"));
}

#[test]
fn long_statements_are_not_kept() {
    let mut cache = Cache::default();
    let long = "x".repeat(ENTRY_MAX / 2 + 1);
    miss(&mut cache, &long);
    miss(&mut cache, &long);
    assert!(!has(&mut cache, &long));
}

#[test]
fn each_reading_of_backslashes_has_a_place_of_its_own() {
    let mut cache = Cache::default();
    miss(&mut cache, "a");
    miss(&mut cache, "a");
    assert!(!cache.contains(Cache::place("a", true), "a"));
}

#[test]
fn another_statement_with_the_same_place_is_not_there() {
    let mut cache = Cache::default();
    miss(&mut cache, "a");
    miss(&mut cache, "a");
    let place = Cache::place("a", false);
    assert!(cache.contains(place, "a"));
    assert!(!cache.contains(place, "b"));
}
