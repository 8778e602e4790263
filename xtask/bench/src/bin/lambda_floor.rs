//! The floor of the Lambda bench: an extension that registers and asks for the next event, again and again, and does nothing else.
//!
//! With a port as its argument it also answers requests on it with 200 and forgets them, which is the least that a function which sends can
//! wait for.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    if let Some(port) = std::env::args().nth(1) {
        let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream));
            }
        });
    }
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
    let mut platform = TcpStream::connect(&api)?;
    platform.set_nodelay(true)?;
    let body = "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}";
    let register = format!(
        "POST /2020-01-01/extension/register HTTP/1.1\r\nhost: {api}\r\nlambda-extension-name: floor\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    platform.write_all(register.as_bytes())?;
    let (head, _) = read_message(&mut platform)?;
    let id = header(&head, "lambda-extension-identifier").unwrap_or_default().to_owned();
    let next = format!(
        "GET /2020-01-01/extension/event/next HTTP/1.1\r\nhost: {api}\r\nlambda-extension-identifier: {id}\r\n\r\n"
    );
    loop {
        platform.write_all(next.as_bytes())?;
        let (_, event) = read_message(&mut platform)?;
        if event.windows(8).any(|piece| piece == b"SHUTDOWN") {
            return Ok(());
        }
    }
}

fn answer(mut stream: TcpStream) {
    // A connection that ends ends this thread, which is all there is to it.
    let _ = stream.set_nodelay(true);
    while read_message(&mut stream).is_ok() {
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}

/// One message with a content length: its head and its body.
fn read_message(stream: &mut TcpStream) -> Result<(String, Vec<u8>), Failure> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16384]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
            let length = header(&head, "content-length").and_then(|text| text.parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if bytes.len() >= whole {
                return Ok((head, bytes.get(end + 4..whole).unwrap_or_default().to_vec()));
            }
        }
        let read = stream.read(&mut piece)?;
        if read == 0 {
            return Err("the connection has ended".into());
        }
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
