//! Binding a listening socket.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::os::unix::net::UnixListener;
use std::path::Path;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Connections that the system completes before the process takes them. The system caps it at its `somaxconn`.
const BACKLOG: i32 = 1024;

/// Binds as Go does: an empty host is every address of both families, a name its first IPv4 address if it has one. With `beside`,
/// other sockets that allow it may have the same port.
pub(super) fn tcp(address: &str, beside: bool) -> io::Result<TcpListener> {
    if let Some(port) = address.strip_prefix(':').and_then(|port| port.parse().ok()) {
        let every = listen((Ipv6Addr::UNSPECIFIED, port).into(), beside);
        return match every {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                listen((Ipv4Addr::UNSPECIFIED, port).into(), beside)
            }
            result => result,
        };
    }
    let localhost = address.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    if let Some(port) = localhost {
        return listen((Ipv4Addr::LOCALHOST, port).into(), beside);
    }
    let mut resolved: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    resolved.sort_by_key(|address| !address.is_ipv4());
    let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    listen(*resolved.first().ok_or_else(none)?, beside)
}

/// Lets other sockets that allow it, too, have the same port.
pub(super) fn allow_beside(socket: &TcpListener, allowed: bool) -> io::Result<()> {
    SockRef::from(socket).set_reuse_port(allowed)
}

/// Binds a socket file, in the place of one that a process left behind when it died.
pub(super) fn unix(path: &Path) -> io::Result<UnixListener> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            UnixListener::bind(path)?
        }
        result => result?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn listen(address: SocketAddr, beside: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if beside {
        socket.set_reuse_port(true)?;
    }
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
