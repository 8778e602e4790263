//! Binding a listening socket.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::Path;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Connections that the system completes before the process takes them. The system caps it at its `somaxconn`.
const BACKLOG: i32 = 1024;

/// What the system keeps of datagrams until the process reads them. The system caps it at its `rmem_max`.
const DATAGRAM_BUFFER_BYTES: usize = 4 << 20;

/// Binds as Go does: an empty host is every address of both families, a name its first IPv4 address if it has one. With `beside`,
/// other sockets that allow it may have the same port.
pub(super) fn tcp(address: &str, beside: bool) -> io::Result<TcpListener> {
    bind(address, |address| {
        let socket = socket(address, Type::STREAM, Protocol::TCP, beside)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    })
}

/// The same for datagrams.
pub(super) fn udp(address: &str, beside: bool) -> io::Result<UdpSocket> {
    bind(address, |address| {
        let socket = socket(address, Type::DGRAM, Protocol::UDP, beside)?;
        // As much as the system grants.
        let _granted = socket.set_recv_buffer_size(DATAGRAM_BUFFER_BYTES);
        Ok(socket.into())
    })
}

/// Binds a socket to what an address stands for.
fn bind<S>(address: &str, bind: impl Fn(SocketAddr) -> io::Result<S>) -> io::Result<S> {
    if let Some(port) = address.strip_prefix(':').and_then(|port| port.parse().ok()) {
        let every = bind((Ipv6Addr::UNSPECIFIED, port).into());
        return match every {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                bind((Ipv4Addr::UNSPECIFIED, port).into())
            }
            result => result,
        };
    }
    let localhost = address.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    if let Some(port) = localhost {
        return bind((Ipv4Addr::LOCALHOST, port).into());
    }
    let mut resolved: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    resolved.sort_by_key(|address| !address.is_ipv4());
    let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    bind(*resolved.first().ok_or_else(none)?)
}

/// Lets other sockets that allow it, too, have the same port.
pub(super) fn allow_beside<'s>(socket: impl Into<SockRef<'s>>, allowed: bool) -> io::Result<()> {
    socket.into().set_reuse_port(allowed)
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

fn socket(address: SocketAddr, kind: Type, protocol: Protocol, beside: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    // With datagrams it would let two processes have one port.
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    if beside {
        socket.set_reuse_port(true)?;
    }
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
