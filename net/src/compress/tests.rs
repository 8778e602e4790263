use bytes::Bytes;
use config::{Compression, CompressionLevel};
use proptest::prelude::*;

use super::{compress, compress_now};
use crate::body::decode;

const CODECS: [Compression; 7] = [
    Compression::Gzip,
    Compression::Zlib,
    Compression::Deflate,
    Compression::Snappy,
    Compression::SnappyFramed,
    Compression::Zstd,
    Compression::Lz4,
];

fn back(compressed: &[u8], codec: Compression, limit: usize) -> Bytes {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(decode(compressed, codec, limit, &mut |_| Ok(()))).unwrap()
}

/// Cuts `data` where `cuts` says, in parts of a thousand.
fn pieces(data: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| data.len() * cut / 1000).collect();
    ends.push(data.len());
    ends.sort_unstable();
    let mut start = 0;
    let cut = |end| {
        let piece = Bytes::copy_from_slice(&data[start..end]);
        start = end;
        piece
    };
    ends.into_iter().map(cut).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_compressed_in_any_pieces_decompresses_to_the_same(
        data in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..5_000),
            prop::collection::vec(0u8..3, 0..60_000),
            Just(vec![0; 100_000]),
        ],
        cuts in prop::collection::vec(0usize..1000, 0..5),
        level in prop_oneof![Just(CompressionLevel::Measured), (-2i32..12).prop_map(CompressionLevel::Set)],
        codec in prop::sample::select(&CODECS[..]),
    ) {
        let compressed = compress_now(&pieces(&data, &cuts), codec, level).unwrap();
        prop_assert_eq!(&back(&compressed, codec, data.len().max(1))[..], &data[..]);
    }
}

#[tokio::test]
async fn large_body_is_compressed_as_a_small_one_is() {
    let pieces = vec![Bytes::from(vec![7; 1_000_000]), Bytes::from_static(b"end")];
    let level = CompressionLevel::Measured;
    let compressed = compress(pieces.clone(), Compression::Gzip, level).await.unwrap();
    assert_eq!(compressed, [compress_now(&pieces, Compression::Gzip, level).unwrap()]);
    let plain = compress(pieces.clone(), Compression::None, level).await.unwrap();
    assert_eq!(plain, pieces, "without a codec the pieces stay as they are");
}

#[test]
fn higher_level_makes_a_body_smaller() {
    let words: String = (0..20_000).map(|i| format!("span-{} ", i * i % 977)).collect();
    let size = |codec, level| {
        compress_now(&[words.clone().into()], codec, CompressionLevel::Set(level)).unwrap().len()
    };
    assert!(size(Compression::Gzip, 9) < size(Compression::Gzip, 1));
    assert!(size(Compression::Zstd, 11) < size(Compression::Zstd, 1));
}
