//! URLs without the name and password before their host.
//!
//! The Agent parses a URL with Go's `net/url` and writes it again, which changes more than that: a scheme in capitals, an empty
//! fragment, characters that ought to have been escaped. A URL that cannot be parsed stays as it is. The rules are those of Go 1.26.

mod host;

/// Writes the URL as the Agent would send it to `out`, which is empty, unless it is sent as it is. Says whether it wrote.
pub(super) fn obfuscate(url: &str, out: &mut String) -> bool {
    if is_plain(url) {
        return false;
    }
    match Parts::of(url) {
        Some(parts) if !parts.stand() => {
            parts.write(out);
            true
        }
        _ => false,
    }
}

/// Whether it is one of the many that can be seen to stand without being taken to pieces.
fn is_plain(url: &str) -> bool {
    fn after(bytes: &[u8], holds: impl Fn(u8) -> bool) -> &[u8] {
        let len = bytes.iter().position(|byte| !holds(*byte)).unwrap_or(bytes.len());
        bytes.get(len..).unwrap_or_default()
    }
    let bytes = url.as_bytes();
    let Some(host) = bytes.strip_prefix(b"https://").or_else(|| bytes.strip_prefix(b"http://"))
    else {
        return false;
    };
    let mut rest = after(host, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    if rest.len() == host.len() {
        return false;
    }
    if let Some(port) = rest.strip_prefix(b":") {
        rest = after(port, |byte| byte.is_ascii_digit());
    }
    if rest.first() == Some(&b'/') {
        rest = after(rest, |byte| byte.is_ascii_alphanumeric() || in_path(byte));
    }
    // Nothing is done to a query; a fragment is for the long way.
    let to_the_end = |byte: &u8| *byte >= b' ' && *byte != 0x7f && *byte != b'#';
    matches!(rest.first(), None | Some(b'?'))
        && rest.iter().fold(true, |all, byte| all & to_the_end(byte))
}

/// A URL in pieces.
#[derive(Debug)]
struct Parts<'a> {
    scheme: &'a str,
    /// What stands between `//` and the path.
    authority: Option<Authority<'a>>,
    path: &'a str,
    /// The query with its question mark, which is never changed.
    query: &'a str,
    /// The fragment without its sign. An empty one is dropped.
    fragment: Option<&'a str>,
}

#[derive(Debug)]
struct Authority<'a> {
    host: &'a str,
    had_user: bool,
}

impl<'a> Parts<'a> {
    /// Nothing, if Go would not parse it.
    fn of(url: &'a str) -> Option<Self> {
        let (before, fragment) = match url.split_once('#') {
            Some((before, fragment)) => (before, Some(fragment)),
            None => (url, None),
        };
        if before.bytes().any(|byte| byte.is_ascii_control())
            || !escapes_are_whole(fragment.unwrap_or_default())
        {
            return None;
        }
        let (scheme, rest) = split_scheme(before)?;
        let (mut path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let mut authority = None;
        if path.starts_with('/') {
            let local = scheme.is_empty() && path.starts_with("///");
            if let Some(rest) = path.strip_prefix("//").filter(|_| !local) {
                let (raw, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                authority = Some(Authority::of(scheme, raw)?);
                path = after;
            }
        } else if !scheme.is_empty() {
            // Opaque: `mailto:` and the like. Nothing in it is looked at.
            return Some(Parts { scheme, authority, path, query, fragment });
        } else if first_segment(path).contains(':') {
            return None;
        }
        escapes_are_whole(path).then_some(Parts { scheme, authority, path, query, fragment })
    }

    fn is_opaque(&self) -> bool {
        !self.scheme.is_empty() && self.authority.is_none() && !self.path.starts_with('/')
    }

    /// Whether writing it gives what was read.
    fn stand(&self) -> bool {
        let authority_stands = self.authority.as_ref().is_none_or(|authority| {
            let empty = authority.host.is_empty() && self.path.is_empty();
            !authority.had_user && !empty && host::stands(authority.host)
        });
        let without_host =
            self.scheme.is_empty() && self.authority.as_ref().is_some_and(|it| it.host.is_empty());
        authority_stands
            && !without_host
            && !self.scheme.bytes().any(|byte| byte.is_ascii_uppercase())
            && (self.is_opaque() || is_encoded(self.path, in_path))
            && self.fragment.is_none_or(|it| !it.is_empty() && is_encoded(it, in_fragment))
    }

    fn write(&self, out: &mut String) {
        if !self.scheme.is_empty() {
            out.extend(self.scheme.chars().map(|c| c.to_ascii_lowercase()));
            out.push(':');
        }
        if self.is_opaque() {
            out.push_str(self.path);
        } else {
            if let Some(authority) = &self.authority {
                let host = authority.host;
                // An empty host keeps its slashes before a path, if there is a scheme before them.
                if !host.is_empty() || (!self.scheme.is_empty() && !self.path.is_empty()) {
                    out.push_str("//");
                    host::write(host, out);
                }
            }
            let start = out.len();
            write_encoded(self.path, in_path, out);
            if start == 0 && first_segment(out).contains(':') {
                out.insert_str(0, "./");
            }
        }
        out.push_str(self.query);
        if let Some(fragment) = self.fragment.filter(|it| !it.is_empty()) {
            out.push('#');
            write_encoded(fragment, in_fragment, out);
        }
    }
}

impl<'a> Authority<'a> {
    fn of(scheme: &str, raw: &'a str) -> Option<Self> {
        let (user, host) = match raw.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, raw),
        };
        let user_is_valid =
            user.is_none_or(|user| user.bytes().all(in_user) && escapes_are_whole(user));
        (host::is_valid(scheme, host) && user_is_valid)
            .then_some(Authority { host, had_user: user.is_some() })
    }
}

/// The scheme without its colon, and the rest. Nothing, if the URL begins with the colon.
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let scheme_len = url
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))
        .unwrap_or(url.len());
    let (scheme, rest) = url.split_at(scheme_len);
    match rest.strip_prefix(':') {
        Some(_) if scheme.is_empty() => None,
        Some(rest) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => Some((scheme, rest)),
        _ => Some(("", url)),
    }
}

fn first_segment(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

/// Whether each percent sign has two digits after it.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        after
            .as_bytes()
            .first_chunk::<2>()
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether `text` can be written as it stands: what is not `allowed` is escaped.
fn is_encoded(text: &str, allowed: fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric()
            || is_delimiter(byte)
            || matches!(byte, b'[' | b']' | b'%')
            || allowed(byte)
    })
}

/// Writes `text`, if need be with its escapes decoded and what is not `allowed` escaped.
fn write_encoded(text: &str, allowed: fn(u8) -> bool, out: &mut String) {
    if is_encoded(text, allowed) {
        out.push_str(text);
        return;
    }
    for byte in decoded(text) {
        if byte.is_ascii_alphanumeric() || allowed(byte) {
            out.push(char::from(byte));
        } else {
            push_escaped(byte, out);
        }
    }
}

/// The bytes of `text`, with its escapes decoded.
fn decoded(text: &str) -> impl Iterator<Item = u8> {
    let mut bytes = text.bytes();
    let digit = |byte: u8| {
        u8::try_from(char::from(byte).to_digit(16).unwrap_or_default()).unwrap_or_default()
    };
    std::iter::from_fn(move || match bytes.next()? {
        b'%' => Some(digit(bytes.next()?) << 4 | digit(bytes.next()?)),
        byte => Some(byte),
    })
}

fn push_escaped(byte: u8, out: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.push('%');
    out.extend([byte >> 4, byte & 15].iter().filter_map(|digit| DIGITS.get(usize::from(*digit))));
}

/// What a path and a fragment may hold as they stand, though Go escapes some of it when it escapes anything.
fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'
    )
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn in_path(byte: u8) -> bool {
    is_mark(byte) || matches!(byte, b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@')
}

fn in_fragment(byte: u8) -> bool {
    in_path(byte) || matches!(byte, b'?' | b'!' | b'(' | b')' | b'*')
}

fn in_user(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || is_mark(byte) || is_delimiter(byte) || byte == b'%'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_seen_to_stand_stands(url in "https?://[a-zA-Z0-9.:@%\\[-]{0,12}(/[a-z%4{ é/;!~-]{0,12})?(\\?[ -~é]{0,12})?") {
            let parts = Parts::of(&url);
            prop_assert!(!is_plain(&url) || parts.is_some_and(|parts| parts.stand()));
        }
    }
}
