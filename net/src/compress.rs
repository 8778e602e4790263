//! Compressing request bodies.

use std::io::{self, Write};

use bytes::Bytes;
use config::{Compression, CompressionLevel};
use flate2::{Compress, FlushCompress, Status};

/// Bodies from this size on are compressed on a thread of their own: at about 0.8 GB/s this is
/// where compressing would hold up a reactor for more than a sixth of a millisecond.
const INLINE_BYTES_MAX: usize = 128 * 1024;

/// The level of gzip, zlib and zstd unless the user sets one. Measured on OTLP bodies of 3 MB:
/// zlib-rs level 1 takes 0.45 µs a span for 62 bytes, level 6 takes 1.36 µs for 50.
const MEASURED_LEVEL: i32 = 1;

/// The highest level of zstd used. Upstream's encoder has nothing beyond; the real levels above
/// take hundreds of MiB.
const ZSTD_LEVEL_MAX: i32 = 11;

/// The window of deflate, as a power of two.
const WINDOW_BITS: u8 = 15;

/// Compresses a body given in pieces, off the reactor when it is large.
///
/// # Errors
/// When a codec fails, which none does on memory.
pub async fn compress(
    pieces: Vec<Bytes>,
    codec: Compression,
    level: CompressionLevel,
) -> io::Result<Vec<Bytes>> {
    if !codec.is_compressed() {
        return Ok(pieces);
    }
    let bytes: usize = pieces.iter().map(Bytes::len).sum();
    let compressed = if bytes < INLINE_BYTES_MAX {
        compress_now(&pieces, codec, level)?
    } else {
        let task = move || compress_now(&pieces, codec, level);
        tokio::task::spawn_blocking(task).await.map_err(io::Error::other)??
    };
    Ok(vec![compressed])
}

/// A frame of zstd, unless it is longer than a quarter of what it holds.
fn zstd_at_once(piece: &[u8], level: i32) -> io::Result<Option<Vec<u8>>> {
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    let mut out = Vec::with_capacity(piece.len() / 4 + 512);
    // The only fault of a sound codec is that there is too little room.
    Ok(compressor.compress_to_buffer(piece, &mut out).is_ok().then_some(out))
}

/// Compresses a body given in pieces, here and now.
///
/// # Errors
/// When a codec fails, which none does on memory.
pub fn compress_now(
    pieces: &[Bytes],
    codec: Compression,
    level: CompressionLevel,
) -> io::Result<Bytes> {
    let bytes: usize = pieces.iter().map(Bytes::len).sum();
    // A sixth is what telemetry shrinks to at a low level; a body that does not grows the buffer.
    let out = Vec::with_capacity(bytes / 6 + 128);
    let out = match codec {
        Compression::None => join(pieces),
        Compression::Gzip => {
            deflate(Compress::new_gzip(deflate_level(level), WINDOW_BITS), pieces, out)?
        }
        Compression::Zlib | Compression::Deflate => {
            deflate(Compress::new(deflate_level(level), true), pieces, out)?
        }
        // All at once where there is one piece: a stream would copy it into its window first.
        Compression::Zstd
            if let [piece] = pieces
                && let Some(out) = zstd_at_once(piece, zstd_level(level))? =>
        {
            out
        }
        Compression::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(out, zstd_level(level))?;
            encoder.set_pledged_src_size(Some(bytes as u64))?;
            write_all(&mut encoder, pieces)?;
            encoder.finish()?
        }
        Compression::Snappy => {
            snap::raw::Encoder::new().compress_vec(&join(pieces)).map_err(io::Error::other)?
        }
        Compression::SnappyFramed => {
            let mut encoder = snap::write::FrameEncoder::new(out);
            write_all(&mut encoder, pieces)?;
            encoder.into_inner().map_err(|error| io::Error::other(error.to_string()))?
        }
        Compression::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(out);
            write_all(&mut encoder, pieces)?;
            encoder.finish().map_err(io::Error::other)?
        }
    };
    Ok(out.into())
}

fn deflate(mut state: Compress, pieces: &[Bytes], mut out: Vec<u8>) -> io::Result<Vec<u8>> {
    for piece in pieces {
        let mut rest: &[u8] = piece;
        while !rest.is_empty() {
            let before = state.total_in();
            state.compress_vec(rest, &mut out, FlushCompress::None)?;
            let consumed = usize::try_from(state.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(consumed..).unwrap_or_default();
            grow(&mut out);
        }
    }
    while state.compress_vec(&[], &mut out, FlushCompress::Finish)? != Status::StreamEnd {
        grow(&mut out);
    }
    Ok(out)
}

/// `compress_vec` stops at the capacity.
fn grow(out: &mut Vec<u8>) {
    if out.capacity() == out.len() {
        out.reserve(out.len().max(1024));
    }
}

fn deflate_level(level: CompressionLevel) -> flate2::Compression {
    let level = match level {
        CompressionLevel::Measured | CompressionLevel::Set(-2 | 0) => MEASURED_LEVEL,
        CompressionLevel::Set(-1) => 6,
        CompressionLevel::Set(level) => level.clamp(1, 9),
    };
    flate2::Compression::new(level.unsigned_abs())
}

fn zstd_level(level: CompressionLevel) -> i32 {
    match level {
        CompressionLevel::Measured => MEASURED_LEVEL,
        CompressionLevel::Set(level) => level.clamp(1, ZSTD_LEVEL_MAX),
    }
}

fn write_all(to: &mut impl Write, pieces: &[Bytes]) -> io::Result<()> {
    pieces.iter().try_for_each(|piece| to.write_all(piece))
}

fn join(pieces: &[Bytes]) -> Vec<u8> {
    pieces.concat()
}

#[cfg(test)]
mod tests;
