//! Users and passwords in the URLs of a text: where they stand, and the text without them.

use std::{borrow::Cow, ops::Range};

use crate::opaque::REDACTED;

/// The text with `[REDACTED]` in the place of each URL's user and password.
pub(crate) fn hide(text: &str) -> Cow<'_, str> {
    let spans = spans(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        out.push_str(text.get(from..span.start).unwrap_or_default());
        out.push_str(REDACTED);
        from = span.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// Where users and passwords stand, in order: what is between `://` and the `@` of the same authority, and, where an address has no scheme,
/// `user:password` before an `@`. Rather too much than too little is found: a password with a character in it that is not escaped ends the
/// authority before its `@`.
pub(crate) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    // Behind the last `://`, if no user was found for it yet. Each part of the text is searched once.
    let (mut url, mut from) = (None, 0);
    while let Some(at) = text.get(from..).and_then(|rest| rest.find('@')).map(|at| from + at) {
        let between = text.get(from..at).unwrap_or_default();
        if let Some(scheme) = between.rfind("://") {
            url = Some(from + scheme + 3);
        }
        match spans.last_mut() {
            Some(last) if last.end + 1 == from && !between.contains(is_delimiter) => last.end = at,
            _ => {
                let start = match url {
                    Some(url) => in_url(text, url, from, at),
                    None => in_address(text, from, at),
                };
                if let Some(start) = start.filter(|start| *start < at) {
                    spans.push(start..at);
                    url = None;
                }
            }
        }
        from = at + 1;
    }
    spans
}

/// Where the user of the URL that goes on at `start` begins, if its authority goes as far as the `@` at `at`, or breaks off in what is no
/// port; else that of a lone address behind `from`.
fn in_url(text: &str, start: usize, from: usize, at: usize) -> Option<usize> {
    let rest = text.get(start..at)?;
    let ends = |c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace();
    match rest.find(ends) {
        None => Some(start),
        Some(end) if breaks_off(rest.get(..end)?) && !rest.contains('\n') => Some(start),
        Some(end) => in_address(text, from.max(start + end), at),
    }
}

/// Whether an authority without an `@` has something else than a port behind its colon.
fn breaks_off(authority: &str) -> bool {
    let authority = authority.trim_end_matches(['"', '\'', ',', ';', ')', ']', '}']);
    let Some((_, port)) = authority.rsplit_once(':') else { return false };
    let is_address = authority.starts_with('[');
    let is_reference = port.starts_with("${") || authority.contains("${env:");
    !is_address && !is_reference && !port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where `user:password` begins, if that is the word before the `@`.
fn in_address(text: &str, from: usize, at: usize) -> Option<usize> {
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '[' | '_');
    if !text.get(at + 1..)?.starts_with(is_host) {
        return None;
    }
    let before = text.get(from..at)?;
    let word = before.rsplit(is_delimiter).next()?;
    let (user, _) = word.split_once(':')?;
    (!user.is_empty()).then_some(at - word.len())
}

/// What ends a word that may be an address.
fn is_delimiter(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`' | ',' | '(' | '[' | '{' | '<' | '=' | '@')
}

#[cfg(test)]
mod tests {
    use super::hide;

    #[test]
    fn user_and_password_are_hidden_wherever_a_url_stands() {
        for (text, hidden) in [
            ("http://user:pw@h:1/a?b#c", "http://[REDACTED]@h:1/a?b#c"),
            ("token@h is none, https://token@h is", "token@h is none, https://[REDACTED]@h is"),
            ("a http://u:p@h,http://v:q@i b", "a http://[REDACTED]@h,http://[REDACTED]@i b"),
            ("\"http://u:p@w@h/x@y\" is none", "\"http://[REDACTED]@h/x@y\" is none"),
            ("user:pw@h:4317", "[REDACTED]@h:4317"),
            ("address \"u:p@[::1]:1\": odd", "address \"[REDACTED]@[::1]:1\": odd"),
            ("http://h/a,u:p@h", "http://h/a,[REDACTED]@h"),
            ("x://ü:pä@h", "x://[REDACTED]@h"),
            // What has to be escaped in a password, and is not.
            ("http://user:p/w@h/x", "http://[REDACTED]@h/x"),
            ("http://user:p w@h/x", "http://[REDACTED]@h/x"),
            ("http://user:p#w?x@h", "http://[REDACTED]@h"),
            ("http://user:1,2\"'w@h", "http://[REDACTED]@h"),
        ] {
            assert_eq!(hide(text), hidden, "{text}");
        }
        for text in [
            "http://h:4318/a@b",
            "http://[::1]/a@b",
            "http://h, b@c",
            "http://@h",
            "unix:///run/a@b",
            "a@b.example",
            "10:30 @ noon",
            "http://${env:HOST}:${env:PORT}/x@y",
            "",
        ] {
            assert_eq!(hide(text), text);
        }
    }
}
