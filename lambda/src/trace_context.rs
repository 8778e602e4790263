//! The trace that an invocation belongs to.

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The span that called.
    pub parent: Option<[u8; 8]>,
    /// Whether the caller records the trace; nothing where it has not decided.
    pub is_sampled: Option<bool>,
}

impl TraceContext {
    /// Reads the value of an `X-Amzn-Trace-Id` header (`Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`),
    /// or that of a W3C `traceparent`.
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if value.contains('=') { Self::of_xray(value) } else { Self::of_w3c(value) }
    }

    fn of_xray(value: &str) -> Option<Self> {
        let (mut trace_id, mut parent, mut is_sampled) = (None, None, None);
        for (key, value) in value.split(';').filter_map(|pair| pair.split_once('=')) {
            match key.trim() {
                "Root" => trace_id = root(value.trim()),
                "Parent" => parent = hex(value.trim()),
                "Sampled" => {
                    is_sampled = match value.trim() {
                        "1" => Some(true),
                        "0" => Some(false),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        Some(Self { trace_id: trace_id?, parent, is_sampled })
    }

    fn of_w3c(value: &str) -> Option<Self> {
        let mut parts = value.split('-');
        let (version, trace_id) = (parts.next()?, parts.next()?);
        let (parent, flags) = (parts.next()?, hex::<1>(parts.next()?));
        if version.len() != 2 || version == "ff" {
            return None;
        }
        let flags = flags.or(parent.is_empty().then_some([0]));
        let is_sampled = Some(flags.is_some_and(|[flags]| flags & 1 == 1));
        Some(Self { trace_id: hex(trace_id)?, parent: hex(parent), is_sampled })
    }
}

/// `1-<8 digits>-<24 digits>`.
fn root(value: &str) -> Option<[u8; 16]> {
    let (time, rest) = value.strip_prefix("1-")?.split_once('-')?;
    (time.len() == 8).then(|| hex(&format!("{time}{rest}"))).flatten()
}

/// An identifier of so many bytes, read from hexadecimal digits. One of zeros is none.
pub fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    // One byte is no identifier but flags, which may be zero.
    (N == 1 || bytes != [0; N]).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_both_kinds_name_the_same_trace() {
        let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0";
        let context = TraceContext::parse(xray).unwrap();
        assert_eq!(context.trace_id[..4], [0x57, 0x59, 0xe9, 0x88]);
        assert_eq!(context.parent, Some([0x53, 0x99, 0x5c, 0x3f, 0x42, 0xcd, 0x8a, 0xd8]));
        assert_eq!(context.is_sampled, Some(true));
        let w3c = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
        assert_eq!(TraceContext::parse(w3c), Some(context));
    }

    #[test]
    fn what_the_caller_left_open_is_open() {
        let context = TraceContext::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=?");
        let context = context.unwrap();
        assert_eq!((context.parent, context.is_sampled), (None, None));
        let context = TraceContext::parse(
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000;Sampled=0",
        );
        let context = context.unwrap();
        assert_eq!((context.parent, context.is_sampled), (None, Some(false)));
    }

    #[test]
    fn what_is_no_header_is_none() {
        for value in [
            "",
            "Root=",
            "Parent=53995c3f42cd8ad8",
            "Root=1-00000000-000000000000000000000000",
            "Root=1-5759e98-8bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a99427279é",
            "00-5759e988bd862e3fe1be46a994272793",
            "ff-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
        ] {
            assert_eq!(TraceContext::parse(value), None, "{value}");
        }
    }
}
