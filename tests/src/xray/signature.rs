//! What a signed request has to have. Whether the signature is right is what moto is there for.

use hyper::http::request::Parts;

use crate::otlp::header;

/// The access key and the region of a request that is signed for X-Ray.
pub(super) fn read(head: &Parts) -> Result<(String, String), String> {
    let authorization = header(head, "authorization").ok_or("no signature")?;
    let malformed = || format!("signature {authorization:?}");
    let parts = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=").ok_or_else(malformed)?;
    let (credential, rest) = parts.split_once(", SignedHeaders=").ok_or_else(malformed)?;
    let (signed, signature) = rest.split_once(", Signature=").ok_or_else(malformed)?;
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if signature.len() != 64 || !is_hex(signature) {
        return Err(malformed());
    }
    let [key, date, region, "xray", "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..]
    else {
        return Err(format!("credential scope {credential:?}"));
    };
    let time = header(head, "x-amz-date").ok_or("no time of the signature")?;
    if !time.starts_with(date) || time.len() != "20260101T000000Z".len() {
        return Err(format!("the signature is of {date}, the request of {time}"));
    }
    let names: Vec<&str> = signed.split(';').collect();
    if !["host", "x-amz-date"].iter().all(|name| names.contains(name)) {
        return Err(format!("only {signed} are signed"));
    }
    if let Some(missing) = names.iter().find(|name| header(head, name).is_none()) {
        return Err(format!("{missing} is signed and not there"));
    }
    Ok((key.to_owned(), region.to_owned()))
}
