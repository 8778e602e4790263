//! "Did you mean": the known word that a mistyped one is closest to.

use strsim::damerau_levenshtein;

/// How long a word may be to be compared at all; comparing costs the product of both lengths.
const MAX_WORD_BYTES: usize = 64;

/// The word of `known` that `word` most likely stands for: at most a third of its characters are
/// wrong, swapped, missing or too many. A difference in case alone always counts.
///
/// ```
/// assert_eq!(confmap::closest("endpont", ["endpoint", "timeout"]), Some("endpoint"));
/// assert_eq!(confmap::closest("color", ["endpoint", "timeout"]), None);
/// ```
#[must_use]
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > MAX_WORD_BYTES {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_WORD_BYTES)
        .map(|candidate| (damerau_levenshtein(&lower, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The help line for a word that is none of `known`: the likely one, then all of them.
pub(crate) fn help(word: &str, what: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match closest(word, known.iter().copied()) {
        Some(close) => format!("did you mean {close:?}? {what}: {all}"),
        None if known.is_empty() => format!("there are no {what} here"),
        None => format!("{what}: {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{closest, help};

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["endpoint", "sending_queue", "tls", "timeout"];
        let closest = |word| closest(word, known);
        assert_eq!(closest("endpont"), Some("endpoint"));
        assert_eq!(closest("Endpoint"), Some("endpoint"));
        assert_eq!(closest("sendingqueue"), Some("sending_queue"));
        assert_eq!(closest("tsl"), Some("tls"));
        assert_eq!(closest("url"), None);
        assert_eq!(closest(""), None);
        assert_eq!(closest(&"e".repeat(10_000)), None);
    }

    #[test]
    fn the_help_line_lists_what_is_valid() {
        assert_eq!(
            help("tmeout", "valid keys", &["timeout"]),
            "did you mean \"timeout\"? valid keys: timeout"
        );
        assert_eq!(help("x", "valid keys", &["a", "b"]), "valid keys: a, b");
        assert_eq!(help("x", "valid keys", &[]), "there are no valid keys here");
    }
}
