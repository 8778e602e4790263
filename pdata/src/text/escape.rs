//! JSON string escaping, for text that is nearly always short ASCII without anything to escape.

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Appends UTF-8 text as the inside of a JSON string.
#[inline]
pub fn put_escaped(out: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) { out.extend_from_slice(text) } else { put_escapes(out, text) }
}

/// Appends UTF-8 text as the inside of a JSON string that stands in a document which is a JSON string itself.
#[inline]
pub fn put_escaped_twice(out: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) {
        return out.extend_from_slice(text);
    }
    for run in text.split_inclusive(|&byte| needs_escape(byte)) {
        let Some((&last, plain)) = run.split_last().filter(|(last, _)| needs_escape(**last)) else {
            out.extend_from_slice(run);
            continue;
        };
        out.extend_from_slice(plain);
        // The backslash of an escape is escaped, and so is a quote or another backslash behind it.
        out.push(b'\\');
        let start = out.len();
        put_escape(out, last);
        if matches!(last, b'"' | b'\\') {
            out.insert(start + 1, b'\\');
        }
    }
}

/// Appends UTF-8 text as the inside of a JSON string, lower-cased character by character.
pub fn put_lower_case(out: &mut Vec<u8>, text: &[u8]) {
    if text.is_ascii() {
        let start = out.len();
        put_escaped(out, text);
        // Escapes are lower case already.
        if let Some(written) = out.get_mut(start..) {
            written.make_ascii_lowercase();
        }
    } else {
        let text = std::str::from_utf8(text).unwrap_or_default();
        // One character for one, as Go does it; Rust's `İ` would become two, its final `Σ` would depend on what precedes.
        let lower: String = text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect();
        put_escaped(out, lower.as_bytes());
    }
}

/// Whether nothing has to be escaped. Looks at eight bytes at a time.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else {
        return text.iter().fold(true, |plain, &byte| plain & !needs_escape(byte));
    };
    let mut found = suspicious(u64::from_le_bytes(*last));
    for word in text.as_chunks::<8>().0 {
        found |= suspicious(u64::from_le_bytes(*word));
    }
    found == 0
}

/// Not zero when one of the eight bytes is a control character, a quote or a backslash.
#[inline]
fn suspicious(word: u64) -> u64 {
    // A byte that is zero borrows from its own high bit; bytes from 0x80 on are masked out.
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGH
}

/// Whether a JSON string cannot hold a byte as it is.
#[inline]
pub(super) fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends text with something to escape, run by run.
fn put_escapes(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| needs_escape(byte)) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        if let Some((&byte, after)) = from.split_first() {
            put_escape(out, byte);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
}

/// Appends the escape of an ASCII character, in Go's choice of short forms.
pub(super) fn put_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            return out.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                digit(byte >> 4),
                digit(byte & 15),
            ]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = vec![b'"'];
        put_escaped(&mut out, text.as_bytes());
        out.push(b'"');
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn any_character_at_any_place_reads_back() {
        for code in (0..0x180).chain([0x2028, 0xffff, 0x1f600]) {
            let c = char::from_u32(code).unwrap();
            for before in 0..18 {
                for after in 0..10 {
                    let text = format!("{}{c}{}", "a".repeat(before), "é".repeat(after));
                    let read: String = serde_json::from_str(&escaped(&text)).unwrap();
                    assert_eq!(read, text);
                }
            }
        }
    }

    #[test]
    fn text_that_is_escaped_twice_reads_back_when_it_is_read_twice() {
        for text in ["", "plain", "\"", "\\", "a\"b\\c\nd\u{1f}é", "C:\\a\\\"b\"", "\u{7f}\u{2028}"]
        {
            let mut once = vec![b'"'];
            put_escaped(&mut once, text.as_bytes());
            once.push(b'"');
            let mut outer = vec![b'"'];
            put_escaped(&mut outer, &once);
            outer.push(b'"');

            let mut twice = b"\"\\\"".to_vec();
            put_escaped_twice(&mut twice, text.as_bytes());
            twice.extend_from_slice(b"\\\"\"");
            assert_eq!(twice, outer);
            let inner: String = serde_json::from_slice(&twice).unwrap();
            assert_eq!(serde_json::from_str::<String>(&inner).unwrap(), text);
        }
    }

    #[test]
    fn lower_case_goes_character_by_character_and_keeps_escapes() {
        for (text, lower) in [
            ("GET /Cart", "get /cart"),
            ("A\"B\u{1f}C", "a\"b\u{1f}c"),
            ("ÄÖ ΣΑΣ İ", "äö σασ i"),
            ("日本", "日本"),
        ] {
            let mut out = vec![b'"'];
            put_lower_case(&mut out, text.as_bytes());
            out.push(b'"');
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), lower);
        }
    }
}
