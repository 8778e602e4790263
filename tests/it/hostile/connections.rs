//! Connections of peers that are slow, lie about lengths, or leave.

use prost::Message as _;
use tests::raw::Connection;
use tests::{send, spans};

use super::Target;

const HEAD: &str =
    "POST /v1/traces HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-protobuf\r\n";

#[test]
fn a_gibibyte_that_is_only_announced_is_refused_at_once() {
    let target = Target::start();
    let mut connection = Connection::open(target.gateway.http);
    assert!(connection.write(format!("{HEAD}content-length: 1073741824\r\n\r\n").as_bytes()));
    let status = connection.read_status_line();
    assert!(status.starts_with("HTTP/1.1 413"), "{status}");
    target.assert_unharmed();
}

#[test]
fn a_body_without_end_is_refused_at_the_cap() {
    let target = Target::start();
    let mut connection = Connection::open(target.gateway.http);
    assert!(connection.write(format!("{HEAD}transfer-encoding: chunked\r\n\r\n").as_bytes()));
    let chunk = [b"100000\r\n".as_slice(), &vec![0; 1 << 20], b"\r\n"].concat();
    // The agent may close the connection before the last piece.
    let written = (0..64).take_while(|_| connection.write(&chunk)).count();
    assert!(written >= 20, "the cap is 20 MiB, and {written} MiB were read");
    target.assert_unharmed();
}

#[test]
fn senders_that_dawdle_hold_nobody_up() {
    let target = Target::start();
    let body = spans::request(1).encode_to_vec();
    let mut dawdlers: Vec<Connection> =
        (0..32).map(|_| Connection::open(target.gateway.http)).collect();
    for (position, connection) in dawdlers.iter_mut().enumerate() {
        let head = format!("{HEAD}content-length: {}\r\n\r\n", body.len());
        let whole = [head.as_bytes(), &body].concat();
        // Some are silent, some stop within the head, some within the body.
        assert!(connection.write(&whole[..whole.len() * (position % 4) / 4]));
    }
    let request = spans::request(2);
    assert_eq!(send::traces_http(target.gateway.http, &request).status, 200);
    target.backend.wait_for_spans(&spans::ids(&request));
    // They hold up the stop no more than the requests.
    target.assert_unharmed();
}

#[test]
fn a_client_that_leaves_half_way_leaves_nothing_behind() {
    let target = Target::start();
    let body = spans::request(1).encode_to_vec();
    for cut in [0, 1, body.len() / 2, body.len() - 1] {
        let mut connection = Connection::open(target.gateway.http);
        let head = format!("{HEAD}content-length: {}\r\n\r\n", body.len());
        assert!(connection.write(&[head.as_bytes(), &body[..cut]].concat()));
        drop(connection);
        let mut connection = Connection::open(target.gateway.grpc);
        // The client's preface of HTTP/2 (RFC 9113, section 3.4) and a part of a frame.
        assert!(connection.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"));
        drop(connection);
    }
    let request = spans::request(1);
    assert_eq!(send::traces_http(target.gateway.http, &request).status, 200);
    target.backend.wait_for_spans(&spans::ids(&request));
    target.backend.assert_delivered_once(&spans::ids(&request));
    target.assert_unharmed();
}

#[test]
fn what_is_no_http_at_all_is_turned_away() {
    let target = Target::start();
    // A TLS greeting, nonsense, and a head that never ends.
    let endless = format!("{HEAD}x: {}\r\n", "a".repeat(2 << 20));
    for bytes in
        [b"\x16\x03\x01\x02\x00\x01\x00".as_slice(), b"\0\0\0\0\r\n\r\n", endless.as_bytes()]
    {
        for port in [target.gateway.http, target.gateway.grpc] {
            let mut connection = Connection::open(port);
            connection.write(bytes);
            connection.finish();
            let answer = connection.read_to_end();
            assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
        }
    }
    target.assert_unharmed();
}

#[test]
fn either_protocol_is_understood_on_either_port() {
    let target = Target::start();
    let (one, other) = (spans::request(1), spans::request(1));
    assert_eq!(send::traces_grpc(target.gateway.http, &one).code, 0);
    assert_eq!(send::traces_http(target.gateway.grpc, &other).status, 200);
    target.backend.wait_for_spans(&[spans::ids(&one), spans::ids(&other)].concat());
    target.assert_unharmed();
}
