//! Listening sockets, which survive a reload: the successor of a component gets its predecessor's socket, so that no connection is
//! refused in between.

mod bind;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
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

/// A socket that datagrams come in by, non-blocking. The address stays taken until the last socket for it is dropped.
#[derive(Debug)]
pub struct DatagramSocket {
    /// The socket.
    pub socket: UdpSocket,
    _kept: Arc<Kept>,
}

/// The process's listening sockets. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    bound: HashMap<Place, Bound>,
    hand_over: Option<Claims>,
}

/// What a component can have: an address of a transport. A port of TCP and the same one of UDP are two places.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Stream(TransportAddress),
    Datagram(String),
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
    claimed: HashMap<Place, Option<ComponentId>>,
}

#[derive(Debug)]
enum Kept {
    Stream(Socket),
    Datagram(UdpSocket),
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Self::Stream(Socket::Unix(socket)) = self
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
        let kept = self.take(owner, Place::Stream(address.clone()))?;
        let Kept::Stream(socket) = &*kept else { return Err(other_transport()) };
        Ok(Listener { socket: socket.try_clone()?, _kept: kept })
    }

    /// The same for datagrams, at a `host:port` of UDP.
    ///
    /// # Errors
    /// As [`Listeners::bind`].
    pub fn bind_udp(&self, owner: &ComponentId, address: &str) -> io::Result<DatagramSocket> {
        let kept = self.take(owner, Place::Datagram(address.to_owned()))?;
        let Kept::Datagram(socket) = &*kept else { return Err(other_transport()) };
        Ok(DatagramSocket { socket: socket.try_clone()?, _kept: kept })
    }

    fn take(&self, owner: &ComponentId, place: Place) -> io::Result<Arc<Kept>> {
        let mut state = self.lock();
        if place.is_any_port() {
            return state.bind_any_port(owner, &place);
        }
        if let Some((holder, kept)) = state.holder(&place) {
            let may_share = holder == *owner || state.may_take(&place, &holder);
            if !may_share {
                let text = format!("\"{holder}\" of the same config listens there already");
                return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
            }
            state.claim(&place, owner, Some(holder), &kept);
            return Ok(kept);
        }
        let kept = match place.bind(false) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                state.bind_beside_leaving(&place, error)?
            }
            result => result?,
        };
        let kept = Arc::new(kept);
        state.bound.retain(|_, bound| bound.kept.strong_count() > 0);
        state.claim(&place, owner, None, &kept);
        Ok(kept)
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
    fn bind_any_port(&mut self, owner: &ComponentId, place: &Place) -> io::Result<Arc<Kept>> {
        let kept = Arc::new(place.bind(false)?);
        if let Some(address) = kept.address() {
            self.claim(&place.at(address), owner, None, &kept);
        }
        Ok(kept)
    }

    fn holder(&self, place: &Place) -> Option<(ComponentId, Arc<Kept>)> {
        let bound = self.bound.get(place)?;
        Some((bound.owner.clone(), bound.kept.upgrade()?))
    }

    /// Whether the holder leaves, and no other newcomer has its address yet.
    fn may_take(&self, place: &Place, holder: &ComponentId) -> bool {
        self.hand_over.as_ref().is_some_and(|claims| {
            claims.leaving.contains(holder) && !claims.claimed.contains_key(place)
        })
    }

    fn claim(
        &mut self,
        place: &Place,
        owner: &ComponentId,
        before: Option<ComponentId>,
        kept: &Arc<Kept>,
    ) {
        if let Some(claims) = &mut self.hand_over {
            claims.claimed.entry(place.clone()).or_insert(before);
        }
        let bound = Bound { owner: owner.clone(), kept: Arc::downgrade(kept) };
        self.bound.insert(place.clone(), bound);
    }

    /// Listens at an address that overlaps with that of a leaving component, as `0.0.0.0:4317` with `localhost:4317`: for the
    /// moment of binding, both sockets allow it. `error` is what binding said without that.
    fn bind_beside_leaving(&self, place: &Place, error: io::Error) -> io::Result<Kept> {
        let Some(claims) = &self.hand_over else { return Err(error) };
        let (Some(port), is_datagram) = (place.port(), matches!(place, Place::Datagram(_))) else {
            return Err(error);
        };
        let overlaps = |kept: &Arc<Kept>| {
            matches!(**kept, Kept::Datagram(_)) == is_datagram
                && kept.address().is_some_and(|address| address.port() == port)
        };
        let leaving = self.bound.values().filter(|bound| claims.leaving.contains(&bound.owner));
        let beside = leaving.filter_map(|bound| bound.kept.upgrade()).filter(overlaps);
        let beside: Vec<Arc<Kept>> = beside.collect();
        if beside.is_empty() {
            return Err(error);
        }
        beside.iter().try_for_each(|kept| kept.allow_beside(true))?;
        let result = place.bind(true);
        beside.iter().try_for_each(|kept| kept.allow_beside(false))?;
        let kept = result?;
        kept.allow_beside(false)?;
        Ok(kept)
    }
}

impl Place {
    /// The `host:port`; `None` for a socket file.
    fn host_port(&self) -> Option<&str> {
        match self {
            Self::Stream(TransportAddress::Tcp(text)) | Self::Datagram(text) => Some(text),
            Self::Stream(TransportAddress::Unix(_)) => None,
        }
    }

    fn port(&self) -> Option<u16> {
        self.host_port()?.rsplit(':').next()?.parse().ok()
    }

    fn is_any_port(&self) -> bool {
        self.host_port().is_some_and(|text| text.ends_with(":0"))
    }

    /// The same transport at this address.
    fn at(&self, address: SocketAddr) -> Self {
        match self {
            Self::Stream(_) => Self::Stream(TransportAddress::Tcp(address.to_string())),
            Self::Datagram(_) => Self::Datagram(address.to_string()),
        }
    }

    fn bind(&self, beside: bool) -> io::Result<Kept> {
        Ok(match self {
            Self::Stream(TransportAddress::Tcp(text)) => {
                Kept::Stream(Socket::Tcp(bind::tcp(text, beside)?))
            }
            Self::Stream(TransportAddress::Unix(path)) => {
                Kept::Stream(Socket::Unix(bind::unix(path)?))
            }
            Self::Datagram(text) => Kept::Datagram(bind::udp(text, beside)?),
        })
    }
}

impl Kept {
    /// The address of TCP or UDP.
    fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Stream(Socket::Tcp(socket)) => socket.local_addr().ok(),
            Self::Stream(Socket::Unix(_)) => None,
            Self::Datagram(socket) => socket.local_addr().ok(),
        }
    }

    fn tcp_address(&self) -> Option<SocketAddr> {
        matches!(self, Self::Stream(_)).then(|| self.address()).flatten()
    }

    fn allow_beside(&self, allowed: bool) -> io::Result<()> {
        match self {
            Self::Stream(Socket::Tcp(socket)) => bind::allow_beside(socket, allowed),
            Self::Stream(Socket::Unix(_)) => Ok(()),
            Self::Datagram(socket) => bind::allow_beside(socket, allowed),
        }
    }
}

/// A place has the sockets of its own transport only.
fn other_transport() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the address is one of another transport")
}

#[cfg(test)]
mod tests;
