//! Listening sockets, which survive a reload: the successor of a component gets its predecessor's socket, so that no connection is
//! refused in between.

mod bind;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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

impl Socket {
    /// Another handle on the same socket.
    ///
    /// # Errors
    /// When the process is out of file descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Socket::Tcp(socket) => Socket::Tcp(socket.try_clone()?),
            Socket::Unix(socket) => Socket::Unix(socket.try_clone()?),
        })
    }
}

/// The process's listening sockets. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    bound: HashMap<TransportAddress, Bound>,
    hand_over: Option<Claims>,
}

/// Who listens at an address.
#[derive(Clone, Debug)]
struct Bound {
    owner: ComponentId,
    kept: Weak<Kept>,
}

/// A hand-over going on.
#[derive(Debug)]
struct Claims {
    leaving: BTreeSet<ComponentId>,
    /// Addresses that a newcomer listens at, with the owner before.
    claimed: HashMap<TransportAddress, Option<ComponentId>>,
}

#[derive(Debug)]
struct Kept {
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
    /// Listens for `owner`, or shares the socket that `owner`, or a component that leaves in a reload, has at this address already.
    /// Port 0 is any free port, a new one for each call.
    ///
    /// # Errors
    /// When the address cannot be resolved or bound, or another component of this process has it.
    pub fn bind(&self, owner: &ComponentId, address: &TransportAddress) -> io::Result<Listener> {
        let mut state = self.lock();
        if let TransportAddress::Tcp(text) = address
            && text.ends_with(":0")
        {
            return state.bind_any_port(owner, text);
        }
        if let Some((holder, kept)) = state.holder(address) {
            let may_share = holder == *owner || state.may_take(address, &holder);
            if !may_share {
                let text = format!("\"{holder}\" of the same config listens there already");
                return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
            }
            state.claim(address, owner, Some(holder), &kept);
            return Listener::sharing(kept);
        }
        let socket = match address {
            TransportAddress::Tcp(text) => match bind::tcp(text, false) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    Socket::Tcp(state.bind_beside_leaving(text, error)?)
                }
                result => Socket::Tcp(result?),
            },
            TransportAddress::Unix(path) => Socket::Unix(bind::unix(path)?),
        };
        let kept = Arc::new(Kept { socket });
        state.bound.retain(|_, bound| bound.kept.strong_count() > 0);
        state.claim(address, owner, None, &kept);
        Listener::sharing(kept)
    }

    /// The TCP addresses that are listened at, by owner.
    pub fn addresses(&self) -> Vec<(ComponentId, SocketAddr)> {
        let state = self.lock();
        let mut addresses: Vec<_> = state
            .bound
            .values()
            .filter_map(|bound| Some((bound.owner.clone(), bound.kept.upgrade()?.tcp_address()?)))
            .collect();
        addresses.sort();
        addresses
    }

    /// Until the end of the hand-over, newcomers may listen where `leaving` components do. Dropping it uncompleted gives the
    /// addresses back.
    pub(crate) fn hand_over(&self, leaving: BTreeSet<ComponentId>) -> HandOver {
        self.lock().hand_over = Some(Claims { leaving, claimed: HashMap::new() });
        HandOver { listeners: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reload's hand-over of sockets.
#[must_use = "dropping it gives the addresses back to their owners"]
pub(crate) struct HandOver {
    listeners: Listeners,
}

impl HandOver {
    /// The newcomers stay.
    pub(crate) fn complete(self) {
        self.listeners.lock().hand_over = None;
    }
}

impl Drop for HandOver {
    fn drop(&mut self) {
        let mut state = self.listeners.lock();
        let claims = state.hand_over.take();
        for (address, owner) in claims.into_iter().flat_map(|claims| claims.claimed) {
            if let (Some(owner), Some(bound)) = (owner, state.bound.get_mut(&address)) {
                bound.owner = owner;
            }
        }
    }
}

impl State {
    fn bind_any_port(&mut self, owner: &ComponentId, address: &str) -> io::Result<Listener> {
        let socket = bind::tcp(address, false)?;
        let address = TransportAddress::Tcp(socket.local_addr()?.to_string());
        let kept = Arc::new(Kept { socket: Socket::Tcp(socket) });
        self.claim(&address, owner, None, &kept);
        Listener::sharing(kept)
    }

    fn holder(&self, address: &TransportAddress) -> Option<(ComponentId, Arc<Kept>)> {
        let bound = self.bound.get(address)?;
        Some((bound.owner.clone(), bound.kept.upgrade()?))
    }

    /// Whether the holder leaves, and no other newcomer has its address yet.
    fn may_take(&self, address: &TransportAddress, holder: &ComponentId) -> bool {
        self.hand_over.as_ref().is_some_and(|claims| {
            claims.leaving.contains(holder) && !claims.claimed.contains_key(address)
        })
    }

    fn claim(
        &mut self,
        address: &TransportAddress,
        owner: &ComponentId,
        before: Option<ComponentId>,
        kept: &Arc<Kept>,
    ) {
        if let Some(claims) = &mut self.hand_over {
            claims.claimed.entry(address.clone()).or_insert(before);
        }
        let bound = Bound { owner: owner.clone(), kept: Arc::downgrade(kept) };
        self.bound.insert(address.clone(), bound);
    }

    /// Listens at an address that overlaps with that of a leaving component, as `0.0.0.0:4317` with `localhost:4317`: for the
    /// moment of binding, both sockets allow it. `error` is what binding said without that.
    fn bind_beside_leaving(&self, address: &str, error: io::Error) -> io::Result<TcpListener> {
        let Some(claims) = &self.hand_over else { return Err(error) };
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
        let overlaps = |kept: &Arc<Kept>| kept.tcp_address().map(|address| address.port()) == port;
        let leaving = self.bound.values().filter(|bound| claims.leaving.contains(&bound.owner));
        let beside = leaving.filter_map(|bound| bound.kept.upgrade()).filter(overlaps);
        let beside: Vec<Arc<Kept>> = beside.collect();
        if beside.is_empty() {
            return Err(error);
        }
        beside.iter().try_for_each(|kept| kept.allow_beside(true))?;
        let result = bind::tcp(address, true);
        beside.iter().try_for_each(|kept| kept.allow_beside(false))?;
        let listener = result?;
        bind::allow_beside(&listener, false)?;
        Ok(listener)
    }
}

impl Kept {
    fn tcp_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(socket) => socket.local_addr().ok(),
            Socket::Unix(_) => None,
        }
    }

    fn allow_beside(&self, allowed: bool) -> io::Result<()> {
        match &self.socket {
            Socket::Tcp(socket) => bind::allow_beside(socket, allowed),
            Socket::Unix(_) => Ok(()),
        }
    }
}

impl Listener {
    fn sharing(kept: Arc<Kept>) -> io::Result<Self> {
        Ok(Self { socket: kept.socket.try_clone()?, _kept: kept })
    }
}

#[cfg(test)]
mod tests;
