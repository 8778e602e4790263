//! The one message of a unary call.

use bytes::Bytes;
use config::Compression;
use http_body::Body;

use crate::body::{BodyError, BodyLimits, Gather, NoRoom, decode, next_frame};

/// The size of the prefix of a message.
pub const PREFIX_BYTES: usize = 5;

/// The prefix of a message of `len` bytes; at most 4 GiB can be said.
#[must_use]
pub fn prefix(compressed: bool, len: usize) -> [u8; PREFIX_BYTES] {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let [a, b, c, d] = len.to_be_bytes();
    [u8::from(compressed), a, b, c, d]
}

/// Reads the one message of a unary request and undoes its compression. `limits.raw` bounds the
/// message as it arrives, `limits.decoded` after decompression; `account` is that of
/// [`read_body`](crate::body::read_body).
///
/// The future may be dropped at any point; the call is then cancelled.
///
/// # Errors
/// See [`BodyError`]. A length beyond the limit is refused when its prefix has arrived.
pub async fn read_message<B>(
    mut body: B,
    encoding: Compression,
    limits: &BodyLimits,
    mut account: impl FnMut(usize) -> Result<(), NoRoom>,
) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut gather = Gather::default();
    let mut expected = None;
    while let Some(frame) = next_frame(&mut body, limits).await? {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let total = gather.len().saturating_add(data.len());
        account(total)?;
        gather.push(data, expected.unwrap_or(0));
        if expected.is_none() && total >= PREFIX_BYTES {
            expected = Some(expected_total(gather.bytes(), limits.raw)?);
        }
        // Also the bound of what is collected before the prefix is complete.
        if expected.is_some_and(|expected| total > expected) {
            return Err(framing("there is more than one message in a unary request"));
        }
    }
    let all = gather.into_bytes();
    let Some((&[flag, ..], _)) = all.split_first_chunk::<PREFIX_BYTES>() else {
        let reason = if all.is_empty() { "there is no message" } else { "its prefix is cut off" };
        return Err(framing(reason));
    };
    if expected != Some(all.len()) {
        return Err(framing("it is shorter than its prefix says"));
    }
    let message = all.slice(PREFIX_BYTES..);
    match flag {
        0 if message.len() > limits.decoded => Err(BodyError::TooLarge { limit: limits.decoded }),
        0 => {
            account(message.len())?;
            Ok(crate::body::own(message))
        }
        1 if encoding.is_compressed() => {
            decode(&message, encoding, limits.decoded, &mut account).await
        }
        1 => Err(framing("it is compressed, and grpc-encoding does not say how")),
        _ => Err(framing("its first byte is neither 0 nor 1")),
    }
}

/// How many bytes the message and its prefix have.
fn expected_total(start: &[u8], limit: usize) -> Result<usize, BodyError> {
    let Some((&[_, a, b, c, d], _)) = start.split_first_chunk::<PREFIX_BYTES>() else {
        return Ok(0);
    };
    let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if len > limit {
        return Err(BodyError::TooLarge { limit });
    }
    Ok(PREFIX_BYTES + len)
}

fn framing(reason: &'static str) -> BodyError {
    BodyError::Framing { reason }
}
