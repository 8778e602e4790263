//! One question, with plain blocking sockets: nothing else is faster to start.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::targets::Target;

/// The most that is read of an answer; its first line is what counts.
const ANSWER_BYTES_MAX: u64 = 4096;

/// Asks one target. Returns what it said, or why it is not ready, for one line.
pub(super) fn ask(target: &Target, deadline: Instant) -> Result<String, String> {
    match target {
        Target::Extension { address, path } => {
            let status = connect(address, deadline).and_then(|stream| get(stream, path, deadline));
            match status {
                Ok(status) if status.split(' ').nth(1) == Some("200") => {
                    Ok(format!("health_check at {address} answered {status}"))
                }
                Ok(status) => Err(format!("health_check at {address} answered {status}")),
                Err(error) => Err(format!("no answer from health_check at {address}: {error}")),
            }
        }
        Target::Port { name, address } => match connect(address, deadline) {
            Ok(_listens) => Ok(format!("{name} listens at {address}")),
            Err(error) => Err(format!("{name} does not listen at {address}: {error}")),
        },
        Target::File { name, path } => match UnixStream::connect(path) {
            Ok(_listens) => Ok(format!("{name} listens at {}", path.display())),
            Err(error) => Err(format!("{name} does not listen at {}: {error}", path.display())),
        },
    }
}

fn connect(address: &str, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in resolve(address)? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Addresses to reach what listens at `address`: every address means this machine.
fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    let host_and_port = match address.strip_prefix(':') {
        Some(port) => format!("localhost:{port}"),
        None => address.to_owned(),
    };
    let resolved = host_and_port.to_socket_addrs()?.map(|mut address| {
        if address.ip().is_unspecified() {
            let loopback: std::net::IpAddr = match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            };
            address.set_ip(loopback);
        }
        address
    });
    Ok(resolved.collect())
}

/// The status line of the answer to a GET.
fn get(mut stream: TcpStream, path: &str, deadline: Instant) -> io::Result<String> {
    let left = left(deadline)?;
    stream.set_write_timeout(Some(left))?;
    stream.set_read_timeout(Some(left))?;
    let host = stream.peer_addr()?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut limited = stream.take(ANSWER_BYTES_MAX);
    let mut piece = [0; 512];
    while !answer.contains(&b'\n') {
        let length = limited.read(&mut piece)?;
        if length == 0 {
            break;
        }
        answer.extend_from_slice(piece.get(..length).unwrap_or_default());
    }
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    if !line.starts_with("HTTP/") {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it does not speak HTTP"));
    }
    Ok(line.to_owned())
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "the time is up"));
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A server that reads one request and answers with these bytes.
    fn answering(answer: &'static [u8]) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (address, server)
    }

    fn ask_extension(address: &str) -> Result<String, String> {
        let target = Target::Extension { address: address.to_owned(), path: "/live".to_owned() };
        ask(&target, Instant::now() + PATIENCE)
    }

    #[test]
    fn only_status_200_is_ready() {
        let (address, server) = answering(b"HTTP/1.1 200 OK\r\n\r\n{}");
        assert!(ask_extension(&address).unwrap().ends_with("answered HTTP/1.1 200 OK"));
        assert!(server.join().unwrap().starts_with("GET /live HTTP/1.1\r\n"));
        for answer in [&b"HTTP/1.1 503 Service Unavailable\r\n\r\n"[..], b"SSH-2.0-x\r\n", b""] {
            let (address, server) = answering(answer);
            ask_extension(&address).unwrap_err();
            server.join().unwrap();
        }
    }

    #[test]
    fn port_is_ready_when_it_is_listened_at_and_every_address_means_this_machine() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "0.0.0.0", "localhost", ""] {
            let target =
                Target::Port { name: "otlp".to_owned(), address: format!("{host}:{port}") };
            ask(&target, Instant::now() + PATIENCE).unwrap();
        }
        drop(listener);
        let target = Target::Port { name: "otlp".to_owned(), address: format!("127.0.0.1:{port}") };
        assert!(ask(&target, Instant::now() + PATIENCE).unwrap_err().contains("does not listen"));
    }
}
