//! What is normal for the names and tags that Datadog normalises: what its own normaliser would return unchanged.

/// Bytes of a service's or an operation's name.
const NAME_BYTES_MAX: usize = 100;
/// Characters of a tag or a metric's name.
const TAG_CHARS_MAX: usize = 200;

/// An operation name (`NormalizeName` of the Agent's `pkg/trace/traceutil/normalize`).
pub(super) fn is_operation(name: &str) -> bool {
    let pairs = name.bytes().zip(name.bytes().skip(1));
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && letters
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !name.ends_with('_')
        && !pairs.into_iter().any(|pair| matches!(pair, (b'_', b'_' | b'.')))
}

/// A service's name (`NormalizeService`).
pub(super) fn is_service(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && is_tag_value(name)
}

/// A tag's value (`NormalizeTagValue`). Where Rust and Go do not agree on what a letter or a digit is, Rust's are more.
pub(super) fn is_tag_value(value: &str) -> bool {
    let pairs = value.chars().zip(value.chars().skip(1));
    let normal = |c: char| {
        let lower = c.to_lowercase().next().unwrap_or(c);
        let is_lower = lower == c || lower.len_utf8() != c.len_utf8();
        is_lower && (c.is_alphabetic() || c.is_numeric()) || ":./-_".contains(c)
    };
    value.chars().count() <= TAG_CHARS_MAX
        && value.chars().all(normal)
        && !value.ends_with('_')
        && !pairs.into_iter().any(|pair| pair == ('_', '_'))
}

/// A metric's name: what the public documents on custom metrics ask for. Other characters are Datadog's to replace.
pub(super) fn is_metric(name: &str) -> bool {
    name.chars().count() <= TAG_CHARS_MAX
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !name.contains(char::is_control)
}

/// A tag of a metric, a host or a client: what the public documents on tagging ask for. Other characters are Datadog's to replace.
pub(super) fn is_tag(tag: &str) -> bool {
    tag.chars().count() <= TAG_CHARS_MAX
        && tag.starts_with(char::is_alphabetic)
        && !tag.ends_with(':')
        && !tag.contains(char::is_control)
}
