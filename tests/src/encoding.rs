//! Content encodings, undone and done, with a cap.

use std::io::{Read, Write as _};

use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;

/// No test sends more than this in one request.
const PLAIN_BYTES_MAX: u64 = 256 << 20;

/// Undoes an encoding by its HTTP or gRPC name.
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
        _ => Err("no such encoding".to_owned()),
    };
    plain.map_err(|error| format!("a body that claims to be {encoding:?}: {error}"))
}

/// Compresses with gzip.
///
/// # Panics
///
/// Never: memory can always be written to.
pub fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(plain).and_then(|()| encoder.finish());
    packed.unwrap_or_else(|error| panic!("gzip into memory: {error}"))
}

fn read(from: impl Read) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    from.take(PLAIN_BYTES_MAX).read_to_end(&mut plain).map_err(|error| error.to_string())?;
    if plain.len() as u64 == PLAIN_BYTES_MAX {
        return Err("it grows without end".to_owned());
    }
    Ok(plain)
}
