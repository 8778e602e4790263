//! The attributes that mean something to Zipkin, kept aside until all of a span's have been seen.

use pdata::view::AnyValue;

/// Prefix of the tags that links become.
pub(super) const LINK_PREFIX: &[u8] = b"otlp.link.";

macro_rules! slots {
    ($($field:ident = $key:literal,)+) => {
        /// The latest value of each special attribute.
        #[derive(Clone, Copy, Debug, Default)]
        pub(super) struct Slots<'a> {
            $(#[doc = $key] pub(super) $field: Option<AnyValue<'a>>,)+
        }

        impl<'a> Slots<'a> {
            /// Whether the key is a special one; its value is kept then.
            #[inline]
            pub(super) fn take(&mut self, key: &[u8], value: &AnyValue<'a>) -> bool {
                // All special keys start with one of these.
                let Some(b'e' | b'h' | b'n' | b'o' | b'p' | b's' | b'w') = key.first() else {
                    return false;
                };
                $(if key == $key.as_bytes() {
                    self.$field = Some(*value);
                    return true;
                })+
                false
            }
        }

        #[cfg(test)]
        pub(super) const KEYS: &[&str] = &[$($key),+];
    };
}

slots! {
    local_address = "network.local.address",
    local_port = "net.host.port",
    peer_name = "service.peer.name",
    peer_service = "peer.service",
    peer_address = "network.peer.address",
    peer_port = "net.peer.port",
    error = "error",
    response_status_code = "http.response.status_code",
    status_code_copy = "http.status_code",
    trace_state = "w3c.tracestate",
    kind = "span.kind",
    status_code = "otel.status_code",
    status_description = "otel.status_description",
}

/// The number of the link that a tag of this key would be.
pub(super) fn link_number(key: &[u8]) -> Option<usize> {
    let digits = key.strip_prefix(LINK_PREFIX)?;
    let canonical = digits == b"0" || !matches!(digits.first(), None | Some(b'0' | b'+'));
    std::str::from_utf8(digits).ok().filter(|_| canonical)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_key_is_taken_and_no_other() {
        for key in KEYS {
            assert!(Slots::default().take(key.as_bytes(), &AnyValue::Bool(true)), "{key}");
            for other in [format!("{key}."), format!(".{key}"), key[1..].to_owned()] {
                assert!(!Slots::default().take(other.as_bytes(), &AnyValue::Empty), "{other}");
            }
        }
        assert!(!Slots::default().take(b"", &AnyValue::Empty));
    }

    #[test]
    fn link_number_is_read_from_the_one_spelling_that_is_written() {
        for (key, number) in [
            ("otlp.link.0", Some(0)),
            ("otlp.link.127", Some(127)),
            ("otlp.link.07", None),
            ("otlp.link.+7", None),
            ("otlp.link.-1", None),
            ("otlp.link.", None),
            ("otlp.link", None),
            ("otlp.link.x", None),
        ] {
            assert_eq!(link_number(key.as_bytes()), number, "{key}");
        }
    }
}
