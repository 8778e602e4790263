//! Addresses and ports out of attribute values.

use std::net::IpAddr;

use pdata::view::AnyValue;

/// An address; an IPv4 address in IPv6's clothes is taken for what it is, as Zipkin itself does.
pub(super) fn ip(value: &AnyValue<'_>) -> Option<IpAddr> {
    let text = std::str::from_utf8(value.as_str()?.as_bytes()).ok()?;
    text.parse().ok().map(|ip: IpAddr| ip.to_canonical())
}

/// A port that Zipkin can hold. Zero says nothing.
pub(super) fn port(value: &AnyValue<'_>) -> Option<u16> {
    let port = match value {
        AnyValue::Int(port) => u16::try_from(*port).ok()?,
        AnyValue::Double(port) => {
            let truncated = *port as u16;
            (f64::from(truncated) == *port).then_some(truncated)?
        }
        AnyValue::Str(text) => {
            let text = text.as_bytes();
            let digits = text.iter().all(u8::is_ascii_digit);
            std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()?
        }
        _ => return None,
    };
    (port != 0).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_read_from_what_says_one() {
        let text = |text: &'static str| AnyValue::Str(text.into());
        for (value, expected) in [
            (AnyValue::Int(443), Some(443)),
            (AnyValue::Int(65_535), Some(65_535)),
            (AnyValue::Int(65_536), None),
            (AnyValue::Int(-1), None),
            (AnyValue::Int(0), None),
            (AnyValue::Double(443.0), Some(443)),
            (AnyValue::Double(443.5), None),
            (AnyValue::Double(f64::NAN), None),
            (AnyValue::Double(70_000.0), None),
            (text("5432"), Some(5432)),
            (text("00080"), Some(80)),
            (text("+80"), None),
            (text(""), None),
            (text("70000"), None),
            (text("http"), None),
            (AnyValue::Bool(true), None),
            (AnyValue::Empty, None),
        ] {
            assert_eq!(port(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn ip_is_read_in_either_family() {
        for (value, expected) in [
            ("10.1.2.3", Some("10.1.2.3")),
            ("2001:DB8:0::1", Some("2001:db8::1")),
            ("::ffff:10.0.0.1", Some("10.0.0.1")),
            ("010.0.0.1", None),
            ("fe80::1%eth0", None),
            ("db.internal", None),
            ("", None),
        ] {
            let read = ip(&AnyValue::Str(value.into())).map(|ip| ip.to_string());
            assert_eq!(read.as_deref(), expected);
        }
    }
}
