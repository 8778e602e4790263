//! `http`: request and answer, by the old conventions and the stable ones.

use std::net::IpAddr;

use pdata::text::put_int;
use pdata::view::{AnyValue, Span, SpanKind};

use super::attributes::Known;
use super::keys::Key;
use super::limits::Limits;
use super::text::{put_if, put_member};

/// One of these makes a span one of HTTP.
const TRIGGERS: [Key; 17] = [
    Key::HttpMethod,
    Key::HttpRequestMethod,
    Key::HttpUserAgent,
    Key::UserAgentOriginal,
    Key::HttpStatusCode,
    Key::HttpResponseStatusCode,
    Key::HttpUrl,
    Key::UrlFull,
    Key::HttpScheme,
    Key::UrlScheme,
    Key::HttpHost,
    Key::HttpServerName,
    Key::HttpTarget,
    Key::UrlPath,
    Key::UrlQuery,
    Key::NetHostPort,
    Key::HttpClientIp,
];

/// One of these is needed for a URL.
const URL_KEYS: [Key; 9] = [
    Key::HttpUrl,
    Key::UrlFull,
    Key::HttpHost,
    Key::HttpServerName,
    Key::HostName,
    Key::NetHostName,
    Key::NetPeerName,
    Key::ServerAddress,
    Key::NetPeerIp,
];

/// Appends `http`, if the span is of HTTP.
pub(super) fn put(
    out: &mut Vec<u8>,
    span: &Span<'_>,
    known: &Known<'_>,
    scratch: &mut Vec<u8>,
    limits: &Limits,
) {
    if !known.has_any(&TRIGGERS) {
        return;
    }
    const OPENING: &[u8] = br#",\"http\":{\"request\":{"#;
    out.extend_from_slice(OPENING);
    let mark = out.len();
    let method = known.first_text(&[Key::HttpRequestMethod, Key::HttpMethod]);
    put_if(out, br#",\"method\":\""#, method, limits.text);
    let peer = valid_ip(known.text(Key::NetworkPeerAddress));
    if peer.is_some() || known.has_any(&URL_KEYS) {
        url(scratch, span.kind, known);
        put_if(out, br#",\"url\":\""#, scratch, limits.text);
    }
    let agent = known.first_text(&[Key::UserAgentOriginal, Key::HttpUserAgent]);
    put_if(out, br#",\"user_agent\":\""#, agent, limits.text);
    let forwarded =
        valid_ip(known.text(Key::ClientAddress)).unwrap_or(known.text(Key::HttpClientIp));
    if !forwarded.is_empty() {
        put_member(out, br#",\"client_ip\":\""#, forwarded, limits.text);
        if peer.is_none() && !known.has(Key::NetPeerIp) {
            out.extend_from_slice(br#",\"x_forwarded_for\":true"#);
        }
    } else {
        let address = peer.unwrap_or(known.text(Key::NetPeerIp));
        put_if(out, br#",\"client_ip\":\""#, address, limits.text);
    }
    if out.len() > mark {
        // The first member has no comma before it.
        out.remove(mark);
    }
    out.extend_from_slice(br#"},\"response\":{"#);
    let status = known.int(Key::HttpResponseStatusCode).or_else(|| known.int(Key::HttpStatusCode));
    if let Some(status) = status {
        out.extend_from_slice(br#"\"status\":"#);
        put_int(out, status);
        out.push(b',');
    }
    out.extend_from_slice(br#"\"content_length\":"#);
    put_int(out, content_length(span, known));
    out.extend_from_slice(b"}}");
}

/// The length of the answer: of the message received, as the span or the first event that knows it says, or of the body.
fn content_length(span: &Span<'_>, known: &Known<'_>) -> i64 {
    let of_span = known.int(Key::MessagePayloadSize).filter(|size| *size != 0);
    if let Some(size) = of_span
        && known.text(Key::MessageType) == RECEIVED
    {
        return size;
    }
    let of_event = span.events.iter().find_map(|event| {
        let kind = event.attributes.get(Key::MessageType.text())?.as_str()?;
        match event.attributes.get(Key::MessagePayloadSize.text())? {
            AnyValue::Int(size) if size != 0 && kind.as_bytes() == RECEIVED => Some(size),
            _ => None,
        }
    });
    let of_body = || {
        let keys = [Key::HttpResponseBodySize, Key::HttpResponseContentLength];
        match keys.iter().find_map(|key| known.get(*key))? {
            AnyValue::Int(size) => Some(*size),
            AnyValue::Str(digits) => digits.as_str().parse().ok(),
            _ => None,
        }
    };
    of_event.or_else(of_body).unwrap_or_default()
}

/// The type of a message that an answer is.
const RECEIVED: &[u8] = b"RECEIVED";

/// The URL, as it stands or put together.
fn url(out: &mut Vec<u8>, kind: SpanKind, known: &Known<'_>) {
    out.clear();
    if let Some(url) = known.first(&[Key::UrlFull, Key::HttpUrl]) {
        return out.extend_from_slice(url);
    }
    let scheme = known.first(&[Key::UrlScheme, Key::HttpScheme]).unwrap_or(b"http");
    out.extend_from_slice(scheme);
    out.extend_from_slice(b"://");
    if let Some(host) = known.str(Key::HttpHost) {
        out.extend_from_slice(host);
    } else {
        let (hosts, ports): (&[Key], [Key; 2]) = match kind {
            SpanKind::Server => (
                &[Key::HttpServerName, Key::NetHostName, Key::HostName, Key::ServerAddress],
                [Key::NetHostPort, Key::ServerPort],
            ),
            _ => (
                &[Key::NetPeerName, Key::NetPeerIp, Key::ServerAddress],
                [Key::NetPeerPort, Key::ServerPort],
            ),
        };
        out.extend_from_slice(known.first(hosts).unwrap_or_default());
        let port = ports.iter().find_map(|key| known.get(*key));
        port.into_iter().for_each(|port| put_port(out, scheme, port));
    }
    if let Some(target) = known.str(Key::HttpTarget) {
        return out.extend_from_slice(target);
    }
    out.extend_from_slice(known.str(Key::UrlPath).unwrap_or(b"/"));
    if let Some(query) = known.str(Key::UrlQuery) {
        if !query.starts_with(b"?") {
            out.push(b'?');
        }
        out.extend_from_slice(query);
    }
}

/// The port, unless it is the scheme's own.
fn put_port(out: &mut Vec<u8>, scheme: &[u8], port: &AnyValue<'_>) {
    let usual: &[u8] = match scheme {
        b"http" => b":80",
        b"https" => b":443",
        _ => b"",
    };
    let start = out.len();
    out.push(b':');
    match port {
        AnyValue::Str(text) if !text.is_empty() => out.extend_from_slice(text.as_bytes()),
        AnyValue::Int(port) => put_int(out, *port),
        _ => out.push(b'0'),
    }
    if out.get(start..) == Some(usual) {
        out.truncate(start);
    }
}

/// The text, if it is an address.
fn valid_ip(text: &[u8]) -> Option<&[u8]> {
    if text.is_empty() {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse::<IpAddr>().ok().map(|_| text)
}
