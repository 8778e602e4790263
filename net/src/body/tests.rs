use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use config::{Compression, CompressionLevel};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{BodyError, BodyLimits, NoRoom, content_encoding, read_body};
use crate::compress::compress_now;

const CODECS: [Compression; 7] = [
    Compression::Gzip,
    Compression::Zlib,
    Compression::Deflate,
    Compression::Snappy,
    Compression::SnappyFramed,
    Compression::Zstd,
    Compression::Lz4,
];

/// A body whose pieces come from a channel; it ends with the sender.
struct Pieces {
    pieces: mpsc::Receiver<Option<Bytes>>,
    announced: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.pieces.poll_recv(cx).map(|piece| {
            piece.map(|piece| piece.map(Frame::data).ok_or("the connection was reset"))
        })
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

fn body(pieces: impl IntoIterator<Item = Bytes>) -> Pieces {
    let pieces: Vec<Bytes> = pieces.into_iter().collect();
    let (sender, receiver) = mpsc::channel(pieces.len().max(1));
    pieces.into_iter().for_each(|piece| sender.try_send(Some(piece)).unwrap());
    Pieces { pieces: receiver, announced: 0 }
}

async fn read(body: Pieces, encoding: Compression, limit: usize) -> Result<Bytes, BodyError> {
    read_body(body, encoding, &BodyLimits::of(limit), |_| Ok(())).await
}

fn compressed(data: &[u8], codec: Compression) -> Bytes {
    compress_now(&[Bytes::copy_from_slice(data)], codec, CompressionLevel::Measured).unwrap()
}

#[tokio::test]
async fn large_body_in_one_piece_is_not_copied_and_a_small_one_is() {
    let large = Bytes::from(vec![1; 36_000]);
    let taken = read(body([large.clone()]), Compression::None, 40_000).await.unwrap();
    assert_eq!(taken.as_ptr(), large.as_ptr());
    let small = Bytes::from(vec![1; 400]);
    let taken = read(body([small.clone()]), Compression::None, 40_000).await.unwrap();
    assert_eq!(taken, small);
    assert_ne!(taken.as_ptr(), small.as_ptr(), "it would pin the buffer it was read into");
}

#[tokio::test]
async fn pieces_come_together_in_order() {
    let pieces: Vec<Bytes> = (0..50u8).map(|i| vec![i; usize::from(i) * 700].into()).collect();
    let whole = pieces.concat();
    let taken = read(body(pieces), Compression::None, whole.len()).await.unwrap();
    assert_eq!(taken, whole);
    assert_eq!(read(body([]), Compression::None, 1).await.unwrap(), Bytes::new());
}

#[tokio::test]
async fn body_beyond_the_limit_is_refused_before_it_is_read() {
    let over = read(body([vec![0; 11].into()]), Compression::None, 10).await;
    assert!(matches!(over, Err(BodyError::TooLarge { limit: 10 })));
    let (_open, pieces) = mpsc::channel(1);
    let announced = Pieces { pieces, announced: 1 << 30 };
    let refused = read(announced, Compression::None, 1 << 20).await;
    assert!(matches!(refused, Err(BodyError::TooLarge { .. })), "nothing needs to arrive");
    assert!(read(body([vec![0; 10].into()]), Compression::None, 10).await.is_ok());
}

#[tokio::test]
async fn bomb_is_given_up_at_the_limit_in_every_codec() {
    let data = vec![0; 3_000_000];
    for codec in CODECS {
        let bomb = compressed(&data, codec);
        let mut most = 0;
        let limits = BodyLimits { raw: usize::MAX, ..BodyLimits::of(100_000) };
        let count = |held| {
            most = most.max(held);
            Ok(())
        };
        let result = read_body(body([bomb.clone()]), codec, &limits, count).await;
        assert!(matches!(result, Err(BodyError::TooLarge { limit: 100_000 })), "{codec}");
        assert!(most <= bomb.len() + 100_000, "{codec} held {most} bytes");
        let exact = read(body([bomb]), codec, data.len()).await;
        assert_eq!(exact.unwrap().len(), data.len(), "{codec}: the limit itself is allowed");
    }
}

#[tokio::test]
async fn snappy_block_that_lies_about_its_size_is_refused() {
    // Announces 15 MB in front of three bytes.
    let lie = Bytes::from_static(&[0xc0, 0xc3, 0x93, 0x07, 0, 0, 0]);
    let mut most = 0;
    let count = |held| {
        most = most.max(held);
        Ok(())
    };
    let limits = BodyLimits::of(20_000_000);
    let result = read_body(body([lie]), Compression::Snappy, &limits, count).await;
    assert!(matches!(result, Err(BodyError::Malformed { .. })));
    assert_eq!(most, 7, "nothing is set aside for what can't come");
}

#[tokio::test]
async fn other_tasks_get_their_turn_while_a_large_body_is_decompressed() {
    let body = body([compressed(&vec![0; 3_000_000], Compression::Zstd)]);
    let other = tokio::spawn(async {});
    let reading = read(body, Compression::Zstd, 3_000_000);
    reading.await.unwrap();
    assert!(other.is_finished());
}

#[tokio::test]
async fn zstd_that_asks_for_a_huge_window_is_refused() {
    use std::io::Write as _;
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(26).unwrap();
    encoder.write_all(b"small, and wants 64 MiB to be unpacked").unwrap();
    // Flushed before its end, the frame can't know that it is small.
    encoder.flush().unwrap();
    let frame: Bytes = encoder.finish().unwrap().into();
    let result = read(body([frame]), Compression::Zstd, 1000).await;
    assert!(matches!(result, Err(BodyError::Malformed { .. })), "{result:?}");
}

#[tokio::test]
async fn decompressed_body_holds_little_more_than_its_size() {
    // Its size is not announced, and a little over a power of two, which doubling overshoots most.
    let data = vec![7; 70_000];
    let taken =
        read(body([compressed(&data, Compression::Zlib)]), Compression::Zlib, 1 << 20).await;
    let held = taken.unwrap().try_into_mut().unwrap().capacity();
    assert!(held <= 88_000, "{held} bytes");
}

#[tokio::test]
async fn cut_off_or_damaged_data_is_an_error_in_every_codec() {
    let data: Vec<u8> = (0..20_000u32).flat_map(|i| (i * i).to_le_bytes()).collect();
    for codec in CODECS {
        let whole = compressed(&data, codec);
        for len in [1, 9, 15, whole.len() / 2, whole.len() - 1] {
            let result = read(body([whole.slice(..len)]), codec, 1 << 20).await;
            assert!(
                matches!(result, Err(BodyError::Malformed { .. })),
                "{codec} {len}: {result:?}"
            );
        }
        if !matches!(codec, Compression::Snappy | Compression::SnappyFramed) {
            let result = read(body([]), codec, 1 << 20).await;
            assert!(matches!(result, Err(BodyError::Malformed { .. })), "{codec}: {result:?}");
        }
        let garbage = Bytes::from(vec![0xa5; 3000]);
        let result = read(body([garbage]), codec, 1 << 20).await;
        assert!(matches!(result, Err(BodyError::Malformed { .. })), "{codec}: {result:?}");
    }
}

#[tokio::test]
async fn gzip_members_follow_one_another() {
    let members = [compressed(b"one ", Compression::Gzip), compressed(b"two", Compression::Gzip)];
    let taken = read(body([members.concat().into()]), Compression::Gzip, 100).await.unwrap();
    assert_eq!(taken, "one two");
    let mut damaged = members[0].to_vec();
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let result = read(body([damaged.into()]), Compression::Gzip, 100).await;
    assert!(matches!(result, Err(BodyError::Malformed { .. })), "the checksum is checked");
}

#[tokio::test]
async fn lz4_frame_with_every_optional_field_is_walked_to_its_end() {
    use lz4_flex::frame::{FrameEncoder, FrameInfo};
    use std::io::Write as _;
    let data: Vec<u8> = (0..300_000u32).flat_map(|i| (i % 700).to_le_bytes()).collect();
    let info = FrameInfo::new()
        .content_checksum(true)
        .block_checksums(true)
        .content_size(Some(data.len() as u64));
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(&data).unwrap();
    let frame: Bytes = encoder.finish().unwrap().into();
    let taken = read(body([frame.clone()]), Compression::Lz4, data.len()).await.unwrap();
    assert_eq!(taken, data);
    for len in [frame.len() - 1, frame.len() - 4, frame.len() - 8, 19, 15, 7, 6] {
        let result = read(body([frame.slice(..len)]), Compression::Lz4, data.len()).await;
        assert!(matches!(result, Err(BodyError::Malformed { .. })), "{len}");
    }
}

#[tokio::test]
async fn snappy_is_understood_in_both_formats() {
    let framed = compressed(b"some spans", Compression::SnappyFramed);
    assert_eq!(read(body([framed]), Compression::Snappy, 100).await.unwrap(), "some spans");
}

#[tokio::test]
async fn caller_is_told_what_is_held_and_can_refuse() {
    let mut told = Vec::new();
    let limits = BodyLimits::of(100);
    let pieces = body(["abc".into(), "de".into()]);
    let count = |held| {
        told.push(held);
        Ok(())
    };
    read_body(pieces, Compression::None, &limits, count).await.unwrap();
    assert_eq!(told, [3, 5]);
    let limits = BodyLimits::of(1 << 20);
    let zeros = compressed(&[0; 100_000], Compression::Zstd);
    let refuse = |held| if held > 50_000 { Err(NoRoom) } else { Ok(()) };
    let result = read_body(body([zeros.clone()]), Compression::Zstd, &limits, refuse).await;
    assert!(matches!(result, Err(BodyError::NoRoom)), "decompressed bytes count, too");
    let mut last = 0;
    let count = |held| {
        last = held;
        Ok(())
    };
    read_body(body([zeros]), Compression::Zstd, &limits, count).await.unwrap();
    assert_eq!(last, 100_000, "at last the result alone is held");
}

#[tokio::test(start_paused = true)]
async fn slow_sender_is_given_up_by_stall_and_by_deadline() {
    let (sender, pieces) = mpsc::channel(1);
    let trickle = tokio::spawn(async move {
        while sender.send(Some(Bytes::from_static(b"."))).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
    });
    let start = Instant::now();
    let deadline = Some(start + Duration::from_secs(100));
    let limits = BodyLimits { deadline, ..BodyLimits::of(1000) };
    let slow = Pieces { pieces, announced: 0 };
    let result = read_body(slow, Compression::None, &limits, |_| Ok(())).await;
    assert!(matches!(result, Err(BodyError::TimedOut)));
    assert_eq!(start.elapsed().as_secs(), 100);
    trickle.await.unwrap();

    let (_silent, pieces) = mpsc::channel(1);
    let start = Instant::now();
    let result = read(Pieces { pieces, announced: 0 }, Compression::None, 1000).await;
    assert!(matches!(result, Err(BodyError::TimedOut)));
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn peer_that_leaves_is_told_from_one_that_ends() {
    let (sender, pieces) = mpsc::channel(2);
    sender.try_send(Some(Bytes::from_static(b"abc"))).unwrap();
    sender.try_send(None).unwrap();
    let result = read(Pieces { pieces, announced: 0 }, Compression::None, 1000).await;
    assert!(matches!(result, Err(BodyError::Disconnected)));
}

#[test]
fn encoding_must_be_known_and_allowed() {
    let encoding = |value: &'static str, allowed: &[Compression]| {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_ENCODING, HeaderValue::from_static(value));
        content_encoding(&headers, allowed)
    };
    assert_eq!(encoding("gzip", &Compression::ALL).unwrap(), Compression::Gzip);
    assert_eq!(encoding("identity", &Compression::ALL).unwrap(), Compression::None);
    let error = encoding("br", &Compression::ALL).unwrap_err();
    assert_eq!(error.to_string(), "unsupported Content-Encoding: br");
    assert!(encoding("gzip", &[Compression::Zstd]).is_err());
    assert_eq!(content_encoding(&HeaderMap::new(), &[]).unwrap(), Compression::None);
}

#[test]
fn each_error_has_its_status() {
    let malformed = || BodyError::Malformed {
        encoding: Compression::Gzip,
        source: std::io::ErrorKind::InvalidData.into(),
    };
    let cases = [
        (BodyError::TooLarge { limit: 1 }, StatusCode::PAYLOAD_TOO_LARGE),
        (malformed(), StatusCode::BAD_REQUEST),
        (BodyError::Framing { reason: "" }, StatusCode::BAD_REQUEST),
        (BodyError::UnsupportedEncoding { encoding: "br".into() }, StatusCode::BAD_REQUEST),
        (BodyError::Disconnected, StatusCode::BAD_REQUEST),
        (BodyError::TimedOut, StatusCode::REQUEST_TIMEOUT),
        (BodyError::NoRoom, StatusCode::SERVICE_UNAVAILABLE),
    ];
    for (error, status) in cases {
        assert_eq!(error.http_status(), status, "{error}");
    }
}
