//! What is asked for again, and what counts as a change.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    ProviderError, Providers, Refreshed, Retrieved,
    testing::{Fake, Log, block_on, entries, providers, resolve_with},
};

/// `sec:keep` stays, `sec:turn` changes with each request, `sec:once` can be read once only.
fn rotating(log: &Log) -> Providers {
    let asked = Arc::new(AtomicUsize::new(0));
    providers(&[]).with(Fake::new("sec", log, move |opaque| {
        let (name, seconds) = opaque.split_once('?').unwrap_or((opaque, ""));
        let number = asked.fetch_add(1, Ordering::Relaxed);
        let retrieved = match name {
            "turn" => Retrieved::yaml(format!("hunter{number}")).warning("turned"),
            "once" if number > 2 => return Err(ProviderError::new("gone").help("bring it back")),
            _ => Retrieved::literal("same $$ as ever"),
        };
        Ok(match seconds.parse() {
            Ok(seconds) => retrieved.secret().refresh_after(Duration::from_secs(seconds)),
            Err(_) => retrieved.secret(),
        })
    }))
}

#[test]
fn only_what_asks_for_it_is_looked_at_again_and_only_a_new_value_is_a_change() {
    let log = Log::default();
    let providers = rotating(&log);
    let yaml = ["yaml:[a: \"${sec:keep?9}${sec:once?5}\", b: \"${sec:turn?7} ${sec:turn}\"]"];
    let yaml = yaml.map(|yaml| yaml.replace('[', "{").replace(']', "}"));
    let yaml: Vec<&str> = yaml.iter().map(String::as_str).collect();
    let resolved = resolve_with(&yaml, &[], &providers, None).expect("resolves");
    let refresh = resolved.refresh.expect("something to look at");
    assert_eq!(refresh.every(), Duration::from_secs(5));
    assert!(!format!("{refresh:?}").contains("hunter"), "{refresh:?}");
    let refreshed = block_on(refresh.check(&providers));
    let asked = entries(&log);
    assert_eq!(asked.last().map(String::as_str), Some("sec!"));
    assert_eq!(asked[asked.len() - 2], "sec? keep?9 once?5 turn?7");
    let expected = Refreshed {
        changed: vec!["sec:turn?7".to_owned()],
        warnings: vec!["gone; bring it back".to_owned(), "turned".to_owned()],
    };
    assert_eq!(refreshed, expected);
}

#[test]
fn without_a_wish_nothing_is_looked_at_again() {
    let resolved = resolve_with(&["yaml:a: ${sec:keep}"], &[], &rotating(&Log::default()), None);
    assert!(resolved.expect("resolves").refresh.is_none());
}
