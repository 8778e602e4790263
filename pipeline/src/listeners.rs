//! Listening sockets, which survive a reload: the successor of a component gets its predecessor's socket, so that no connection is
//! refused in between.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::id::ComponentId;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TransportAddress {
    /// `host:port`; an empty host means every address.
    Tcp(String),
    /// A socket file.
    Unix(PathBuf),
}

impl fmt::Display for TransportAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportAddress::Tcp(address) => f.write_str(address),
            TransportAddress::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// A listening socket, non-blocking. The address stays taken until the last socket for it is dropped.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: Socket,
    _kept: Arc<Kept>,
}

/// A socket by transport.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpListener),
    /// Unix.
    Unix(UnixListener),
}

impl Listener {
    /// The TCP address that was bound; `None` for a unix socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(socket) => socket.local_addr().ok(),
            Socket::Unix(_) => None,
        }
    }
}

/// The process's listening sockets. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    bound: Arc<Mutex<HashMap<TransportAddress, Weak<Kept>>>>,
}

#[derive(Debug)]
struct Kept {
    owner: ComponentId,
    socket: Socket,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Socket::Unix(socket) = &self.socket
            && let Some(path) = socket.local_addr().ok().as_ref().and_then(|a| a.as_pathname())
        {
            // A file that is gone already is what is wanted.
            let _removed = std::fs::remove_file(path);
        }
    }
}

impl Listeners {
    /// Listens for `owner`, or shares the socket that `owner` has at this address already.
    ///
    /// # Errors
    /// When the address cannot be resolved or bound, or another component of this process has it.
    pub fn bind(&self, owner: &ComponentId, address: &TransportAddress) -> io::Result<Listener> {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = bound.get(address).and_then(Weak::upgrade) {
            if kept.owner != *owner {
                let holder = &kept.owner;
                let text = format!("\"{holder}\" of the same config listens there already");
                return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
            }
            return Listener::sharing(kept);
        }
        let socket = match address {
            TransportAddress::Tcp(address) => Socket::Tcp(bind_tcp(address)?),
            TransportAddress::Unix(path) => Socket::Unix(bind_unix(path)?),
        };
        let kept = Arc::new(Kept { owner: owner.clone(), socket });
        bound.retain(|_, kept| kept.strong_count() > 0);
        bound.insert(address.clone(), Arc::downgrade(&kept));
        Listener::sharing(kept)
    }
}

impl Listener {
    fn sharing(kept: Arc<Kept>) -> io::Result<Self> {
        let socket = match &kept.socket {
            Socket::Tcp(socket) => Socket::Tcp(socket.try_clone()?),
            Socket::Unix(socket) => Socket::Unix(socket.try_clone()?),
        };
        Ok(Self { socket, _kept: kept })
    }
}

/// Binds as Go does: an empty host is every address of both families, a name its first IPv4 address if it has one.
fn bind_tcp(address: &str) -> io::Result<TcpListener> {
    let listener = if let Some(port) = address.strip_prefix(':') {
        TcpListener::bind(format!("[::]:{port}"))
            .or_else(|_no_ipv6| TcpListener::bind(format!("0.0.0.0:{port}")))?
    } else if let Some(port) = address.strip_prefix("localhost:") {
        TcpListener::bind(format!("127.0.0.1:{port}"))?
    } else {
        let mut resolved: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
        resolved.sort_by_key(|address| !address.is_ipv4());
        let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        TcpListener::bind(resolved.first().ok_or_else(none)?)?
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Binds a socket file, in the place of one that a process left behind when it died.
fn bind_unix(path: &PathBuf) -> io::Result<UnixListener> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ComponentId {
        text.parse().unwrap()
    }

    #[test]
    fn successor_shares_the_socket_and_a_stranger_is_refused() {
        let listeners = Listeners::default();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = TransportAddress::Tcp(free.to_string());
        let first = listeners.bind(&id("otlp"), &address).unwrap();
        let second = listeners.bind(&id("otlp"), &address).unwrap();
        assert_eq!(first.local_addr(), second.local_addr());
        let refused = listeners.bind(&id("zipkin"), &address).unwrap_err();
        assert!(refused.to_string().contains("\"otlp\""), "{refused}");
        drop(first);
        assert!(listeners.bind(&id("zipkin"), &address).is_err(), "the second still listens");
        drop(second);
        listeners.bind(&id("zipkin"), &address).unwrap();
    }

    #[test]
    fn socket_file_of_a_dead_process_is_replaced_and_removed_at_the_end() {
        let path = std::env::temp_dir().join(format!("hikyaku-listen-{}", std::process::id()));
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let listeners = Listeners::default();
        let address = TransportAddress::Unix(path.clone());
        let listener = listeners.bind(&id("otlp"), &address).unwrap();
        assert_eq!(
            Listeners::default().bind(&id("otlp"), &address).unwrap_err().kind(),
            io::ErrorKind::AddrInUse,
            "a living socket must not be taken over"
        );
        drop(listener);
        assert!(!path.exists());
    }
}
