//! Undoing the compression of a body, within a limit.

use std::io::{self, Read};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use config::Compression;

use super::inflate::Inflate;
use super::{BodyError, NoRoom};

/// How many bytes are decompressed before other tasks get their turn.
const STEP_BYTES: usize = 256 * 1024;

/// The window a zstd body may ask for, as a power of two: 8 MiB, the limit of RFC 9659.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// What every framed Snappy stream begins with.
const SNAPPY_STREAM: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// No block of Snappy decompresses to more than this many times its size: its densest element is
/// three bytes for 64.
const SNAPPY_RATIO_MAX: usize = 22;

/// Decompresses `raw`. At most `limit` bytes come out; a bomb is given up as soon as it goes
/// beyond. Takes turns with other tasks.
pub(crate) async fn decode(
    raw: &[u8],
    encoding: Compression,
    limit: usize,
    account: &mut impl FnMut(usize) -> Result<(), NoRoom>,
) -> Result<Bytes, BodyError> {
    let malformed = |source| BodyError::Malformed { encoding, source };
    let (reader, expected): (Box<dyn Read + Send + '_>, _) = match encoding {
        Compression::None => return Ok(Bytes::copy_from_slice(raw)),
        // The framed format has no bytes for no data.
        Compression::Snappy | Compression::SnappyFramed if raw.is_empty() => {
            return Ok(Bytes::new());
        }
        _ if raw.is_empty() => return Err(malformed(io::ErrorKind::UnexpectedEof.into())),
        Compression::Gzip => (Box::new(Inflate::gzip(raw)), gzip_size(raw)),
        Compression::Zlib | Compression::Deflate => (Box::new(Inflate::zlib(raw)), None),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(raw).map_err(malformed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(malformed)?;
            (Box::new(decoder), zstd_size(raw))
        }
        Compression::Snappy if !raw.starts_with(SNAPPY_STREAM) => {
            return snappy_block(raw, limit, account);
        }
        Compression::Snappy | Compression::SnappyFramed => {
            (Box::new(snap::read::FrameDecoder::new(raw)), None)
        }
        Compression::Lz4 if !lz4_is_complete(raw) => {
            return Err(malformed(io::ErrorKind::UnexpectedEof.into()));
        }
        Compression::Lz4 => (Box::new(lz4_flex::frame::FrameDecoder::new(raw)), None),
    };
    drain(Decoding { reader, raw_bytes: raw.len(), expected, limit }, account).await.map_err(
        |error| match error {
            DrainError::Io(source) => malformed(source),
            DrainError::TooLarge => BodyError::TooLarge { limit },
            DrainError::NoRoom => BodyError::NoRoom,
        },
    )
}

/// The same without taking turns: for threads that have no other tasks.
pub(crate) fn decode_now(
    raw: &[u8],
    encoding: Compression,
    limit: usize,
) -> Result<Bytes, BodyError> {
    let mut account = |_| Ok(());
    let mut decoding = pin!(decode(raw, encoding, limit, &mut account));
    loop {
        // It waits for nothing but its turn.
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(decoded) = decoding.as_mut().poll(&mut context) {
            return decoded;
        }
    }
}

struct Decoding<'a> {
    reader: Box<dyn Read + Send + 'a>,
    raw_bytes: usize,
    expected: Option<usize>,
    limit: usize,
}

enum DrainError {
    Io(io::Error),
    TooLarge,
    NoRoom,
}

/// Reads to the end, growing the output by doubling.
async fn drain(
    mut decoding: Decoding<'_>,
    account: &mut impl FnMut(usize) -> Result<(), NoRoom>,
) -> Result<Bytes, DrainError> {
    let raw_bytes = decoding.raw_bytes;
    let mut out = Vec::new();
    let mut capacity = decoding.expected.unwrap_or(raw_bytes.saturating_mul(4)).max(1024);
    let mut since_yield = 0;
    loop {
        capacity = capacity.min(decoding.limit);
        account(raw_bytes + capacity).map_err(|NoRoom| DrainError::NoRoom)?;
        out.reserve_exact(capacity - out.len());
        while out.len() < capacity {
            let wanted = STEP_BYTES.min(capacity - out.len());
            let mut step = decoding.reader.by_ref().take(wanted as u64);
            let read = step.read_to_end(&mut out).map_err(DrainError::Io)?;
            since_yield += read;
            if since_yield >= STEP_BYTES {
                since_yield = 0;
                tokio::task::yield_now().await;
            }
            if read < wanted {
                break;
            }
        }
        // Only a read beyond the last byte shows the end, and checks the trailer's checksum.
        let mut next = [0];
        if decoding.reader.read(&mut next).map_err(DrainError::Io)? == 0 {
            break;
        }
        if out.len() >= decoding.limit {
            return Err(DrainError::TooLarge);
        }
        capacity = capacity.saturating_mul(2).max(out.len() + 1);
        account(raw_bytes + capacity.min(decoding.limit)).map_err(|NoRoom| DrainError::NoRoom)?;
        out.reserve_exact(capacity.min(decoding.limit) - out.len());
        out.extend_from_slice(&next);
    }
    if out.capacity() > out.len() + out.len() / 4 {
        out.shrink_to_fit();
    }
    account(out.len()).map_err(|NoRoom| DrainError::NoRoom)?;
    Ok(out.into())
}

fn snappy_block(
    raw: &[u8],
    limit: usize,
    account: &mut impl FnMut(usize) -> Result<(), NoRoom>,
) -> Result<Bytes, BodyError> {
    let malformed = |error| BodyError::Malformed {
        encoding: Compression::Snappy,
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    };
    let size = snap::raw::decompress_len(raw).map_err(malformed)?;
    if size > limit {
        return Err(BodyError::TooLarge { limit });
    }
    if size > raw.len().saturating_mul(SNAPPY_RATIO_MAX) {
        let text = "the announced size can't come from so few bytes";
        let source = io::Error::new(io::ErrorKind::InvalidData, text);
        return Err(BodyError::Malformed { encoding: Compression::Snappy, source });
    }
    account(raw.len() + size)?;
    let out = snap::raw::Decoder::new().decompress_vec(raw).map_err(malformed)?;
    account(out.len())?;
    Ok(out.into())
}

/// Whether a frame of LZ4 goes on to its end mark; the decoder takes a cut-off frame for a whole
/// one. The format: lz4/lz4 `doc/lz4_Frame_format.md`.
fn lz4_is_complete(raw: &[u8]) -> bool {
    const UNCOMPRESSED: u32 = 1 << 31;
    let walk = || {
        let (_magic, rest) = raw.split_first_chunk::<4>()?;
        let (&[flags, _block_size], rest) = rest.split_first_chunk()?;
        let has = |bit: u32| usize::from(flags >> bit & 1);
        let (block_checksum, content_size) = (4 * has(4), 8 * has(3));
        let (content_checksum, dictionary) = (4 * has(2), 4 * has(0));
        let header_checksum = 1;
        let mut rest = rest.get(content_size + dictionary + header_checksum..)?;
        loop {
            let (size, after) = rest.split_first_chunk()?;
            rest = after;
            match u32::from_le_bytes(*size) & !UNCOMPRESSED {
                0 => return rest.get(content_checksum..).map(drop),
                size => rest = rest.get(usize::try_from(size).ok()? + block_checksum..)?,
            }
        }
    };
    walk().is_some()
}

/// The size that a gzip file's trailer announces, if it is likely: it is the sender's word, and
/// that of the last member only.
fn gzip_size(raw: &[u8]) -> Option<usize> {
    let size = raw.last_chunk().map(|trailer| u32::from_le_bytes(*trailer))? as usize;
    likely(size, raw.len())
}

/// The size that a zstd frame's header announces, if it is likely.
fn zstd_size(raw: &[u8]) -> Option<usize> {
    let size = zstd::zstd_safe::get_frame_content_size(raw).ok().flatten()?;
    likely(usize::try_from(size).ok()?, raw.len())
}

/// Telemetry shrinks to a twentieth at best; an announcement far beyond is not believed in advance.
fn likely(size: usize, raw_bytes: usize) -> Option<usize> {
    (size >= raw_bytes / 2 && size <= raw_bytes.saturating_mul(32)).then_some(size)
}
