//! Names that X-Ray takes, and where a document's name comes from.

use pdata::view::{Span, SpanKind};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::attributes::Known;
use super::keys::Key;
use super::resource::ResourceParts;
use super::url::host_of;
use super::{NAME_BYTES_MAX, Role};

/// The name of what has no other.
const NO_NAME: &[u8] = b"span";
/// The name of AWS's own APIs among RPC systems.
const AWS_API: &[u8] = b"aws-api";

/// Appends the document's name. Whether it comes from `aws.service`, which makes the document one of a call to AWS.
///
/// The order is that of open-telemetry/opentelemetry-collector-contrib `exporter/awsxrayexporter/internal/translator/segment.go` (0.161);
/// stable conventions come behind the older keys that they replace. Every name is made one that X-Ray takes, and one of which nothing
/// is left is passed over.
pub(super) fn put_name(
    out: &mut Vec<u8>,
    span: &Span<'_>,
    known: &Known<'_>,
    resource: &ResourceParts<'_>,
    role: Role,
) -> bool {
    let mut put = |text: &[u8]| put_sanitised(out, text);
    let special = match (role, span.kind) {
        (Role::Service, _) => {
            let local = known.text(Key::AwsLocalService);
            put(local) || put(resource.service_name)
        }
        (_, SpanKind::Server) | (Role::LocalRoot, SpanKind::Internal) => {
            put(known.text(Key::AwsLocalService))
        }
        (_, SpanKind::Client | SpanKind::Producer | SpanKind::Consumer) | (Role::Dependency, _) => {
            put(remote_service(known))
        }
        _ => false,
    };
    if special || put(known.text(Key::PeerService)) || put(known.text(Key::ServicePeerName)) {
        return false;
    }
    if put(known.text(Key::AwsService)) {
        return true;
    }
    let _named = put_database(out, known)
        || span.kind == SpanKind::Server && put_sanitised(out, resource.service_name)
        || put_sanitised(out, known.text(Key::RpcService))
        || put_sanitised(out, service_of_method(known))
        || put_sanitised(out, known.text(Key::HttpHost))
        || put_sanitised(out, known.text(Key::NetPeerName))
        || put_sanitised(out, known.text(Key::ServerAddress))
        || put_sanitised(out, span.name.as_bytes())
        || put_sanitised(out, NO_NAME);
    false
}

/// Whether it is a call of one of AWS's APIs.
pub(super) fn is_aws_sdk(known: &Known<'_>) -> bool {
    known.text(Key::RpcSystem) == AWS_API || known.text(Key::RpcSystemName) == AWS_API
}

/// The service that is called, without the prefixes of AWS's.
fn remote_service<'a>(known: &Known<'a>) -> &'a [u8] {
    let name = known.text(Key::AwsRemoteService);
    if name.is_empty() || !is_aws_sdk(known) {
        return name;
    }
    let without = name.strip_prefix(b"AWS.SDK.").or_else(|| name.strip_prefix(b"AWS::"));
    without.unwrap_or(name)
}

/// The database's name, and its host where that is known.
fn put_database(out: &mut Vec<u8>, known: &Known<'_>) -> bool {
    let old = known.text(Key::DbName);
    let (name, host) = if old.is_empty() {
        (known.text(Key::DbNamespace), known.text(Key::ServerAddress))
    } else {
        (old, host_of(known.text(Key::DbConnectionString)))
    };
    if host.is_empty() || name.is_empty() {
        return put_sanitised(out, name);
    }
    let start = out.len();
    let mut whole = Vec::with_capacity(name.len() + 1 + host.len());
    for part in [name, b"@", host] {
        whole.extend_from_slice(part);
    }
    put_sanitised(out, &whole) && out.get(start..) != Some(b"@".as_slice())
}

/// The service in a method's full name, `package.Service/Method`, which replaces `rpc.service` in the stable conventions.
fn service_of_method<'a>(known: &Known<'a>) -> &'a [u8] {
    let method = known.text(Key::RpcMethod);
    let slash = method.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
    method.get(..slash).unwrap_or_default()
}

/// Appends the characters of a name that X-Ray takes, up to its limit. Whether there were any but spaces.
#[inline]
pub(super) fn put_sanitised(out: &mut Vec<u8>, text: &[u8]) -> bool {
    if text.is_empty() {
        return false;
    }
    let is_taken = |byte: &u8| TAKEN.get(usize::from(*byte)).copied().unwrap_or_default();
    if text.len() <= NAME_BYTES_MAX && text.iter().all(is_taken) {
        if text.iter().all(|byte| *byte == b' ') {
            return false;
        }
        out.extend_from_slice(text);
        return true;
    }
    put_filtered(out, text)
}

fn put_filtered(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let start = out.len();
    let mut blank = true;
    let mut buffer = [0; 4];
    for c in std::str::from_utf8(text).unwrap_or_default().chars().filter(|c| is_taken(*c)) {
        if out.len() - start + c.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        blank &= c == ' ';
        out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
    if blank {
        out.truncate(start);
    }
    !blank
}

/// Letters of any alphabet, ASCII digits, spaces, and `_ . : / % & # = + - @`.
fn is_taken(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => TAKEN.get(usize::from(byte)).copied().unwrap_or_default(),
        // A letter in both tables, which are of different versions of Unicode: X-Ray does not know the newest letters.
        _ => c.is_alphabetic() && c.general_category_group() == GeneralCategoryGroup::Letter,
    }
}

static TAKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        let sign = matches!(
            byte,
            b' ' | b'_' | b'.' | b':' | b'/' | b'%' | b'&' | b'#' | b'=' | b'+' | b'-' | b'@'
        );
        #[expect(clippy::indexing_slicing, reason = "runs in the compiler")]
        {
            table[byte as usize] = sign || byte.is_ascii_alphanumeric();
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn sanitised(text: &str) -> Option<String> {
        let mut out = Vec::new();
        put_sanitised(&mut out, text.as_bytes()).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn names_keep_what_x_ray_takes() {
        for (text, name) in [
            ("GET /a_b.c:d%e&f#g=h+i-j@k 9", Some("GET /a_b.c:d%e&f#g=h+i-j@k 9")),
            ("load <user>! [42]", Some("load user 42")),
            ("a\\b\tc\"d\u{1}", Some("abcd")),
            ("予約 é ß Ж ٣ ² 👍", Some("予約 é ß Ж   ")),
            ("!!!", None),
            ("   ", None),
            ("! !", None),
            ("", None),
        ] {
            assert_eq!(sanitised(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(sanitised(&"a".repeat(300)).unwrap().len(), 200);
        assert_eq!(sanitised(&"é".repeat(300)).unwrap().len(), 200);
        assert_eq!(sanitised(&"日".repeat(300)).unwrap(), "日".repeat(66));
        assert_eq!(sanitised(&format!("{}日", "a".repeat(199))).unwrap(), "a".repeat(199));
    }
}
