use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use config::{Compression, CompressionLevel};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Body as _;
use proptest::prelude::*;

use super::*;
use crate::body::{BodyError, BodyLimits};
use crate::compress::compress_now;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// A body that comes in pieces.
struct Pieces(std::vec::IntoIter<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.next().map(|piece| Ok(http_body::Frame::data(piece))))
    }
}

fn read(pieces: Vec<Bytes>, codec: Compression, limit: usize) -> Result<Bytes, BodyError> {
    let body = Pieces(pieces.into_iter());
    block_on(read_message(body, codec, &BodyLimits::of(limit), |_| Ok(())))
}

fn framed(flag: u8, message: &[u8]) -> Bytes {
    let mut data = prefix(false, message.len()).to_vec();
    data[0] = flag;
    data.extend_from_slice(message);
    data.into()
}

proptest! {
    #[test]
    fn message_is_read_however_it_is_cut(
        message in prop::collection::vec(any::<u8>(), 0..40_000),
        cuts in prop::collection::vec(0usize..40_005, 0..6),
    ) {
        let data = framed(0, &message);
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut % (data.len() + 1)).collect();
        ends.push(data.len());
        ends.sort_unstable();
        let mut start = 0;
        let pieces = ends.into_iter().map(|end| data.slice(std::mem::replace(&mut start, end)..end));
        prop_assert_eq!(read(pieces.collect(), Compression::None, 40_000).unwrap(), message);
    }

    #[test]
    fn reading_garbage_never_panics(data in prop::collection::vec(any::<u8>(), 0..100)) {
        let _either = read(vec![data.clone().into()], Compression::Gzip, 1000);
        let details = Bytes::from(data);
        let _either = Status { details, ..Status::new(Code::Ok, "") }.retry_delay();
    }

    #[test]
    fn status_comes_back_from_headers_as_it_was(
        number in 0u32..17,
        message in "\\PC{0,60}|[\u{0}-\u{20}%a]{0,20}",
        delay in proptest::option::of(0u64..10_000_000_000_000),
    ) {
        let code = Code::from_number(number);
        let mut status = Status::new(code, message);
        if let Some(nanos) = delay {
            status = status.retry_after(Duration::from_nanos(nanos));
        }
        let mut headers = HeaderMap::new();
        status.write(&mut headers);
        let read = Status::read(&headers).unwrap();
        prop_assert_eq!(read.retry_delay(), delay.map(Duration::from_nanos));
        prop_assert_eq!(read, status);
    }

    #[test]
    fn timeout_is_written_so_that_it_reads_back_no_longer(nanos in any::<u64>()) {
        let wanted = Duration::from_nanos(nanos);
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", format_timeout(wanted));
        let read = timeout(&headers).unwrap();
        prop_assert!(read <= wanted && read >= wanted.mul_f64(0.999_999) - Duration::from_nanos(1));
    }
}

#[test]
fn large_message_in_one_piece_is_not_copied() {
    let data = framed(0, &[1; 36_000]);
    let message = read(vec![data.clone()], Compression::None, 36_000).unwrap();
    assert_eq!(message.as_ptr(), data[PREFIX_BYTES..].as_ptr());
}

#[test]
fn compressed_message_is_decompressed_within_the_limit() {
    let level = CompressionLevel::Measured;
    for codec in [Compression::Gzip, Compression::Zstd, Compression::SnappyFramed] {
        let data = framed(1, &compress_now(&[vec![0; 5000].into()], codec, level).unwrap());
        let read_as = if codec == Compression::SnappyFramed { Compression::Snappy } else { codec };
        assert_eq!(read(vec![data.clone()], read_as, 5000).unwrap(), vec![0; 5000], "{codec}");
        let bomb = read(vec![data], read_as, 4999);
        assert!(matches!(bomb, Err(BodyError::TooLarge { limit: 4999 })), "{codec}");
    }
    let plain = framed(0, b"abc");
    let read = read(vec![plain], Compression::Gzip, 100).unwrap();
    assert_eq!(read, "abc", "the flag decides, not the header");
}

#[test]
fn what_is_not_one_message_is_refused() {
    let reason = |data: &[u8], codec| match read(vec![Bytes::copy_from_slice(data)], codec, 100) {
        Err(BodyError::Framing { reason }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(reason(b"", Compression::None).contains("no message"));
    assert!(reason(b"\0\0\0", Compression::None).contains("cut off"));
    assert!(reason(b"\0\0\0\0\x03ab", Compression::None).contains("shorter"));
    assert!(reason(b"\0\0\0\0\x01ab", Compression::None).contains("more than one"));
    assert!(reason(b"\x02\0\0\0\x01a", Compression::None).contains("neither 0 nor 1"));
    assert!(reason(b"\x01\0\0\0\x01a", Compression::None).contains("does not say how"));
}

#[test]
fn message_beyond_the_limit_is_refused_when_its_prefix_has_come() {
    let result = read(vec![Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff])], Compression::None, 9);
    assert!(matches!(result, Err(BodyError::TooLarge { limit: 9 })));
}

#[test]
fn content_type_tells_grpc_from_its_relatives() {
    let is = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(value));
        is_grpc(&headers)
    };
    assert!(is("application/grpc") && is("application/grpc+proto") && is("application/grpc;v=1"));
    assert!(!is("application/grpc-web") && !is("application/json"));
    assert!(!is_grpc(&HeaderMap::new()));
}

#[test]
fn unknown_codec_is_unimplemented_and_the_answer_lists_the_known() {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-encoding", HeaderValue::from_static("br"));
    let status = message_encoding(&headers).unwrap_err();
    assert_eq!(status.code, Code::Unimplemented);
    let answer = failure(&status);
    assert_eq!(answer.headers()["grpc-accept-encoding"], "gzip,zstd,snappy,deflate");
    for name in ["gzip", "zstd", "snappy", "deflate", "identity"] {
        headers.insert("grpc-encoding", HeaderValue::from_static(name));
        assert_eq!(message_encoding(&headers).unwrap().is_compressed(), name != "identity");
    }
}

#[test]
fn success_is_a_message_and_a_trailer_and_failure_is_headers_alone() {
    let answer = success(b"abc");
    assert_eq!(answer.body().data().unwrap(), &b"\0\0\0\0\x03abc"[..]);
    assert_eq!(answer.body().trailers().unwrap()["grpc-status"], "0");
    assert_eq!(answer.body().size_hint().exact(), None, "a content-length would be wrong");
    assert_eq!(success(b"").body().data().unwrap(), &[0; 5][..]);

    let answer = failure(&Status::new(Code::Unavailable, "try ägain"));
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["grpc-status"], "14");
    assert_eq!(answer.headers()["grpc-message"], "try %C3%A4gain");
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    assert!(answer.body().is_end_stream());
}

/// The bytes that grpc-go 1.66 sends for RetryInfo{RetryDelay: 1.5s} in code Unavailable.
#[test]
fn retry_info_has_the_bytes_of_googles_protobuf() {
    let status = Status::new(Code::Unavailable, "full").retry_after(Duration::from_millis(1500));
    let mut expected = b"\x08\x0e\x12\x04full\x1a\x36\x0a\x28".to_vec();
    expected.extend_from_slice(b"type.googleapis.com/google.rpc.RetryInfo");
    expected.extend_from_slice(b"\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01");
    assert_eq!(status.details, expected);
    let now = Status::new(Code::Unavailable, "").retry_after(Duration::ZERO);
    assert_eq!(now.retry_delay(), Some(Duration::ZERO), "no delay is not no RetryInfo");
    assert_eq!(Status::new(Code::Unavailable, "").retry_delay(), None);
}

#[test]
fn negative_or_absurd_delay_is_no_delay() {
    // RetryInfo{seconds: -1}
    let mut any = b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x0d\x0a\x0b\x08".to_vec();
    any.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    let mut status = vec![0x1a, u8::try_from(any.len()).unwrap()];
    status.extend_from_slice(&any);
    let details = Bytes::from(status);
    assert_eq!(Status { details, ..Status::new(Code::Unavailable, "") }.retry_delay(), None);
}

#[test]
fn timeout_that_breaks_the_format_is_none() {
    let read = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", HeaderValue::from_static(value));
        timeout(&headers)
    };
    assert_eq!(read("100m"), Some(Duration::from_millis(100)));
    assert_eq!(read("1H"), Some(Duration::from_secs(3600)));
    for broken in ["", "m", "100", "1x", "-1S", "123456789S"] {
        assert_eq!(read(broken), None, "{broken}");
    }
}

#[test]
fn padded_details_are_read_as_well() {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", HeaderValue::from_static("8"));
    headers.insert("grpc-status-details-bin", HeaderValue::from_static("YQ=="));
    let status = Status::read(&headers).unwrap();
    assert_eq!((status.code, &status.details[..]), (Code::ResourceExhausted, &b"a"[..]));
    headers.insert("grpc-status", HeaderValue::from_static("99"));
    assert_eq!(Status::read(&headers).unwrap().code, Code::Unknown);
    assert_eq!(Status::read(&HeaderMap::new()), None);
}
