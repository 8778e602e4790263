//! Values of peer tags without addresses: a fleet has a few peers by name and no end of them by address.
//!
//! The rules are those of DataDog/datadog-agent `pkg/obfuscate/ip_address.go`.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// A peer tag's value without addresses: each IP address of a list with commas becomes `blocked-ip-address`, ports and what stands around
/// it are kept, doubles are left out. Addresses that every host has stay as they are: the local host's and those of metadata services.
pub fn hide_addresses(value: &str) -> Cow<'_, str> {
    if !value.contains(',') {
        return hide_address(value).map_or(Cow::Borrowed(value), Cow::Owned);
    }
    let mut shown: Vec<Cow<'_, str>> = Vec::new();
    for host in value.split(',') {
        let host = hide_address(host).map_or(Cow::Borrowed(host), Cow::Owned);
        if !shown.contains(&host) {
            shown.push(host);
        }
    }
    Cow::Owned(shown.join(","))
}

/// The value with its address hidden; nothing when there is none to hide.
fn hide_address(value: &str) -> Option<String> {
    const KEPT: [&str; 5] =
        ["127.0.0.1", "::1", "169.254.169.254", "fd00:ec2::254", "169.254.170.2"];
    let (prefix, rest) = split_prefix(value);
    if !rest.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':' || c == '[') {
        return None;
    }
    let (host, port) = split_port(rest).map_or((rest, None), |(host, port)| (host, Some(port)));
    let (address, suffix) = host.split_at_checked(address_len(host)?)?;
    if KEPT.contains(&address) {
        return None;
    }
    let port = port.filter(|port| !port.is_empty());
    let (colon, port) = port.map_or(("", ""), |port| (":", port));
    Some(format!("{prefix}blocked-ip-address{colon}{port}{suffix}"))
}

/// What may stand in front of an address, and the rest.
fn split_prefix(value: &str) -> (&str, &str) {
    const SCHEMES: [&str; 5] = ["dnspoll", "ftp", "file", "http", "https"];
    if let Some(rest) = value.strip_prefix("ip-") {
        return ("ip-", rest);
    }
    for scheme in SCHEMES {
        let rest = value.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
        if let Some(rest) = rest {
            let rest = rest.strip_prefix('/').unwrap_or(rest);
            return value.split_at(value.len() - rest.len());
        }
    }
    ("", value)
}

/// Host and port of `host:port` or `[host]:port`.
fn split_port(value: &str) -> Option<(&str, &str)> {
    let (host, port) = value.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let plain = |text: &str| !text.contains(['[', ']']);
    (plain(host) && plain(port)).then_some((host, port))
}

/// Bytes of the address that a host begins with, or is when it is one of IPv6.
fn address_len(host: &str) -> Option<usize> {
    if !host.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':') {
        return None;
    }
    let separator = host.bytes().find(|c| matches!(c, b'.' | b'_' | b'-' | b':' | b'%'))?;
    match separator {
        b'%' => None,
        b':' => {
            let address = match host.split_once('%') {
                Some((_, "")) => return None,
                Some((address, _zone)) => address,
                None => host,
            };
            address.parse::<Ipv6Addr>().is_ok().then_some(host.len())
        }
        separator => ipv4_len(host.as_bytes(), separator),
    }
}

/// Bytes of the four numbers that a text begins with. Something may follow them, except for a digit too many.
fn ipv4_len(text: &[u8], separator: u8) -> Option<usize> {
    let mut at = 0;
    for part in 0..4 {
        if part > 0 {
            if text.get(at) != Some(&separator) {
                return None;
            }
            at += 1;
        }
        let digits: Vec<u8> =
            text.iter().skip(at).copied().take_while(u8::is_ascii_digit).collect();
        let value = std::str::from_utf8(&digits).ok()?.parse::<u32>().ok()?;
        if value > 255 || (digits.len() > 1 && digits.first() == Some(&b'0')) {
            return None;
        }
        at += digits.len();
    }
    // A separator at the very end, or two, make it no address.
    let rest = text.get(at..)?;
    match rest {
        [only] if *only == separator => None,
        [first, second, ..] if *first == separator && *second == separator => None,
        _ => Some(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hidden_and_what_stands_around_them_is_kept() {
        let cases = [
            ("192.168.1.1", "blocked-ip-address"),
            ("192.168.1.1.foo", "blocked-ip-address.foo"),
            ("192.168.1.1.2.3.4.5", "blocked-ip-address.2.3.4.5"),
            ("192_168_1_1", "blocked-ip-address"),
            ("192-168-1-1-foo", "blocked-ip-address-foo"),
            ("2001:db8:3c4d:15::1a2f:1a2b", "blocked-ip-address"),
            ("fe80::1%eth0", "blocked-ip-address"),
            ("[fe80::1ff:fe23:4567:890a]:8080", "blocked-ip-address:8080"),
            ("192.168.1.1:1234", "blocked-ip-address:1234"),
            ("dnspoll:///10.21.120.145:6400", "dnspoll:///blocked-ip-address:6400"),
            ("https://10.21.120.145:6400", "https://blocked-ip-address:6400"),
            ("ip-10-152-4-129.ec2.internal", "ip-blocked-ip-address.ec2.internal"),
            (
                "192.168.1.1:1234,10.23.1.1:53,10.23.1.1,fe80::1ff:fe23:4567:890a,foo.dog",
                "blocked-ip-address:1234,blocked-ip-address:53,blocked-ip-address,foo.dog",
            ),
        ];
        for (value, hidden) in cases {
            assert_eq!(hide_addresses(value), hidden, "{value}");
        }
    }

    #[test]
    fn what_is_no_address_or_is_everybodys_stays_as_it_is() {
        let values = [
            "",
            "foo.dog",
            "127.0.0.1",
            "::1",
            "169.254.169.254",
            "fd00:ec2::254",
            "169.254.170.2",
            "1-foo",
            "1-2-3-foo",
            "1-2-3-999",
            "1-2-999-foo",
            "1-2-3-999-foo",
            "7-55-2-app.agent.datadoghq.com",
            "1.2.3",
            "1.2.3.",
            "1.2.3.4.",
            "1.2.3.4..5",
            "01.2.3.4",
            "1..2.3.4",
            "1.2-3.4",
            "dead.beef",
            "a%b:c",
            "fe80::1%",
            "db.internal:5432",
            "http://db.internal:80",
            "a,b,c",
            "é1.2.3.4",
        ];
        for value in values {
            assert_eq!(hide_addresses(value), value);
        }
    }
}
