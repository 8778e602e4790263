//! Finds references in text, by the rules of upstream's `findURI`
//! (open-telemetry/opentelemetry-collector `confmap/expand.go`).

use std::ops::Range;

/// The first reference at or behind `from` that nothing else stands in the way of: the first `}`,
/// and the last `${` before it, so that the innermost reference comes first. A `}` without one is
/// passed over, and so is a reference without a scheme where there is no default.
///
/// A reference whose `${` follows an odd number of `$` is escaped, and ends the search: what
/// stands behind it stays as it is.
pub(super) fn find(text: &str, from: usize, has_default_scheme: bool) -> Option<Range<usize>> {
    let mut start = from;
    loop {
        let rest = text.get(start..)?;
        let close = rest.find('}')?;
        let open = rest.get(..close)?.rfind("${");
        let found = open.map(|open| start + open..start + close + 1);
        let reads = |range: &Range<usize>| {
            has_default_scheme || text.get(range.clone()).is_some_and(|text| text.contains(':'))
        };
        if let Some(range) = found.filter(reads) {
            return (!is_escaped(text, start, range.start)).then_some(range);
        }
        start += close + 1;
    }
}

/// Every reference that [`find`] would come to if what it finds left no trace: those to retrieve
/// together.
pub(super) fn find_all(text: &str, has_default_scheme: bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    while let Some(range) = find(text, found.last().map_or(0, |last| last.end), has_default_scheme)
    {
        found.push(range);
    }
    found
}

/// Replaces every occurrence of `reference` in `text` that is not escaped.
pub(super) fn replace_all(text: &str, reference: &str, with: &str) -> String {
    let mut out = String::with_capacity(text.len() + with.len());
    let mut done = 0;
    for (at, _) in text.match_indices(reference) {
        if !is_escaped(text, 0, at) {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push_str(with);
            done = at + reference.len();
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Whether a letter or `_` follows an odd number of `$` outside of references: as in `$NAME`, and not in `$$NAME`, `${NAME}` or `$1`.
pub(super) fn has_bare_name(text: &str) -> bool {
    let (mut dollars, mut depth) = (0, 0_usize);
    text.bytes().any(|byte| {
        let is_lone = dollars % 2 == 1;
        dollars = if byte == b'$' { dollars + 1 } else { 0 };
        match byte {
            b'{' if is_lone => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_lone && depth == 0 && (byte.is_ascii_alphabetic() || byte == b'_')
    })
}

/// Whether an odd number of `$` stands directly before `at`.
fn is_escaped(text: &str, from: usize, at: usize) -> bool {
    let before = text.as_bytes().get(from..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'$').count() % 2 == 1
}
