//! Content encodings, undone and done, with a cap.

use std::io::{Error, Read, Write};

use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

/// No test sends more than this in one request.
const PLAIN_BYTES_MAX: u64 = 256 << 20;

/// What gRPC calls an encoding, by its HTTP name. They differ in one: over gRPC, `snappy` is the framed form (mostynb/go-grpc-compression
/// `internal/snappy`, which the Collector uses; seen with the Collector 0.156).
pub fn of_grpc(name: &str) -> &str {
    if name == "snappy" { "x-snappy-framed" } else { name }
}

/// Undoes an encoding by its HTTP name.
///
/// # Errors
///
/// When the name is unknown, the bytes are not of that encoding, or more comes out than any test sends.
pub fn undo(encoding: &str, body: &[u8]) -> Result<Vec<u8>, String> {
    let plain = match encoding {
        "" | "identity" => return Ok(body.to_vec()),
        "gzip" => read(MultiGzDecoder::new(body)),
        "deflate" | "zlib" => read(ZlibDecoder::new(body)),
        "zstd" => zstd::Decoder::new(body).map_err(|error| error.to_string()).and_then(read),
        "snappy" => {
            snap::raw::Decoder::new().decompress_vec(body).map_err(|error| error.to_string())
        }
        "x-snappy-framed" => read(snap::read::FrameDecoder::new(body)),
        "lz4" => read(lz4_flex::frame::FrameDecoder::new(body)),
        _ => Err("no such encoding".to_owned()),
    };
    plain.map_err(|error| format!("a body that claims to be {encoding:?}: {error}"))
}

/// Compresses with gzip.
pub fn gzip(plain: &[u8]) -> Vec<u8> {
    apply("gzip", plain)
}

/// Applies an encoding by its HTTP name.
///
/// # Panics
///
/// When there is no such encoding.
pub fn apply(encoding: &str, plain: &[u8]) -> Vec<u8> {
    let packed = match encoding {
        "gzip" => write(GzEncoder::new(Vec::new(), Compression::fast()), plain, GzEncoder::finish),
        "deflate" | "zlib" => {
            write(ZlibEncoder::new(Vec::new(), Compression::fast()), plain, ZlibEncoder::finish)
        }
        "zstd" => zstd::encode_all(plain, 1),
        "snappy" => snap::raw::Encoder::new().compress_vec(plain).map_err(Error::other),
        "x-snappy-framed" => write(snap::write::FrameEncoder::new(Vec::new()), plain, |encoder| {
            encoder.into_inner().map_err(|error| Error::other(error.to_string()))
        }),
        "lz4" => write(lz4_flex::frame::FrameEncoder::new(Vec::new()), plain, |encoder| {
            encoder.finish().map_err(Error::other)
        }),
        _ => panic!("no such encoding: {encoding}"),
    };
    packed.unwrap_or_else(|error| panic!("{encoding} into memory: {error}"))
}

fn write<W: Write>(
    mut encoder: W,
    plain: &[u8],
    finish: impl FnOnce(W) -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    encoder.write_all(plain)?;
    finish(encoder)
}

fn read(from: impl Read) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    from.take(PLAIN_BYTES_MAX).read_to_end(&mut plain).map_err(|error| error.to_string())?;
    if plain.len() as u64 == PLAIN_BYTES_MAX {
        return Err("it grows without end".to_owned());
    }
    Ok(plain)
}
