//! The host of a URL, with its port.

use std::net::Ipv6Addr;

use super::{decoded, escapes_are_whole, push_escaped};

/// Whether Go takes `host` for one.
pub(super) fn is_valid(scheme: &str, host: &str) -> bool {
    if let Some(open) = host.rfind('[') {
        return open == 0 && is_valid_literal(host);
    }
    if let Some(first) = host.find(':') {
        // Databases have lists of hosts here, with a port each.
        let strict = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let port = if strict { Some(first) } else { host.rfind(':') };
        if !is_valid_port(port.and_then(|at| host.get(at..)).unwrap_or_default()) {
            return false;
        }
    }
    is_valid_name(host)
}

/// Whether it is written as it stands.
pub(super) fn stands(host: &str) -> bool {
    host.bytes().all(in_host)
}

/// Writes it with everything escaped that has to be.
pub(super) fn write(host: &str, out: &mut String) {
    for byte in decoded(host) {
        if in_host(byte) {
            out.push(char::from(byte));
        } else {
            push_escaped(byte, out);
        }
    }
}

/// `[address]:port`, where the address may have a zone.
fn is_valid_literal(host: &str) -> bool {
    let Some((inner, port)) = host.strip_prefix('[').and_then(|host| host.rsplit_once(']')) else {
        return false;
    };
    let (address, zone) = match inner.find("%25") {
        Some(at) => inner.split_at(at),
        None => (inner, ""),
    };
    let zone_is_valid = zone.is_empty() || (zone.len() > "%25".len() && is_valid_zone(zone));
    is_valid_port(port) && zone_is_valid && address.parse::<Ipv6Addr>().is_ok()
}

/// Escapes in a zone may only stand for what might stand there itself, or a space.
fn is_valid_zone(zone: &str) -> bool {
    let escaped = |after: &str| {
        after.starts_with("25")
            || decoded(&format!("%{after}"))
                .next()
                .is_some_and(|byte| byte == b' ' || in_host(byte))
    };
    escapes_are_whole(zone)
        && zone.bytes().all(|byte| in_host(byte) || byte == b'%' || !byte.is_ascii())
        && zone.split('%').skip(1).all(escaped)
}

/// Escapes in a name may only stand for bytes beyond ASCII, and for the percent sign.
fn is_valid_name(name: &str) -> bool {
    escapes_are_whole(name)
        && name.bytes().all(|byte| in_host(byte) || byte == b'%' || !byte.is_ascii())
        && name
            .split('%')
            .skip(1)
            .all(|after| after.starts_with("25") || after.starts_with(|c| c > '7'))
}

fn is_valid_port(port: &str) -> bool {
    port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || super::is_mark(byte)
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        )
        || matches!(byte, b':' | b'[' | b']' | b'<' | b'>' | b'"')
}
