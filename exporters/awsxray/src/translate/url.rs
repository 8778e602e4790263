//! The host in a database's connection string.

use std::str::from_utf8;

/// The host of a URL, be it one of JDBC; empty where there is none. What Go's `net/url` refuses has none, either.
pub(super) fn host_of(url: &[u8]) -> &[u8] {
    let url = url.strip_prefix(b"jdbc:").unwrap_or(url);
    if url.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
        return b"";
    }
    let rest = match url.iter().position(|byte| *byte == b':') {
        Some(colon) if is_scheme(url.get(..colon).unwrap_or_default()) => {
            url.get(colon + 1..).unwrap_or_default()
        }
        _ => url,
    };
    let Some(rest) = rest.strip_prefix(b"//") else { return b"" };
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    let at = authority.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
    host(authority.get(at..).unwrap_or_default()).unwrap_or_default()
}

/// The host of `host:port`.
fn host(authority: &[u8]) -> Option<&[u8]> {
    let (host, port) = match authority.strip_prefix(b"[") {
        Some(rest) => {
            let end = rest.iter().rposition(|byte| *byte == b']')?;
            (rest.get(..end)?, rest.get(end + 1..)?)
        }
        None => {
            let colon = authority.iter().rposition(|byte| *byte == b':');
            authority.split_at_checked(colon.unwrap_or(authority.len()))?
        }
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let is_host = from_utf8(host)
        .is_ok_and(|host| !host.contains(['<', '>', '"', ' ', '^', '\\', '{', '}', '|', '`', '%']));
    (is_port && is_host).then_some(host)
}

fn is_scheme(text: &[u8]) -> bool {
    let [first, rest @ ..] = text else { return false };
    let is_later = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    first.is_ascii_alphabetic() && rest.iter().all(is_later)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn hosts_are_those_that_go_finds() {
        // Taken from Go 1.26 `net/url`.
        for (url, host) in [
            ("jdbc:postgresql://db.example.com:5432", "db.example.com"),
            ("mysql://user:pass@db.dev.example.com:3306/orders?x=1", "db.dev.example.com"),
            ("//db/x", "db"),
            ("postgresql://[2001:db8::1]:5432/x", "2001:db8::1"),
            ("mongodb://a,b/db", "a,b"),
            ("jdbc:sqlserver://host:1433;databaseName=x", ""),
            ("jdbc:oracle:thin:@//host:1521/x", ""),
            ("Server=localhost;Database=x", ""),
            ("localhost:5432", ""),
            ("postgresql:///x", ""),
            ("jdbc:h2:mem:test", ""),
            ("redis://a b", ""),
            ("", ""),
        ] {
            assert_eq!(host_of(url.as_bytes()), host.as_bytes(), "{url}");
        }
    }
}
