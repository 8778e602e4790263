//! The HTTP/2 connections to a target: one, or one to each address of its name, used in turn.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::lease::{Connection, Lease};

/// How long an address that could not be reached is left alone while others can.
const FAILED_FOR: Duration = Duration::from_secs(5);

/// For how long the addresses of a name are taken as known.
const RESOLVED_FOR: Duration = Duration::from_secs(60);

/// How many addresses are used; a name with more is a service that balances by itself.
const ADDRESSES_MAX: usize = 16;

/// Connections that requests share.
#[derive(Default)]
pub(super) struct Shared {
    entries: Vec<Entry>,
    next: usize,
    resolved: Option<Instant>,
    is_refused: bool,
}

struct Entry {
    /// Nothing, when the name is resolved anew for each connection.
    address: Option<SocketAddr>,
    connection: Option<Connection>,
    failed: Option<Instant>,
}

impl Shared {
    /// The connection whose turn it is. Nothing when one has to be opened first.
    pub(super) fn checkout(&mut self) -> Option<Lease> {
        let (start, count) = (self.next, self.entries.len());
        for position in (start..start + count).map(|position| position % count) {
            let entry = self.entries.get_mut(position)?;
            if let Some(connection) = entry.live() {
                let shared = connection.share()?;
                self.next = position + 1;
                return Some(shared.lend(false));
            }
            if !entry.is_avoided() {
                self.next = position;
                return None;
            }
        }
        None
    }

    /// Any connection that is open.
    pub(super) fn any(&mut self) -> Option<Lease> {
        let open = self.entries.iter_mut().find_map(|entry| entry.live()?.share());
        open.map(|connection| connection.lend(false))
    }

    /// Whether any connection is like that.
    pub(super) fn any_is(&self, like: impl Fn(&Connection) -> bool) -> bool {
        self.entries.iter().filter_map(|entry| entry.connection.as_ref()).any(like)
    }

    /// Keeps a new connection for further requests.
    pub(super) fn keep(&mut self, address: Option<SocketAddr>, connection: &Connection) {
        let connection = connection.share();
        let known = self.entries.iter().position(|entry| entry.address == address);
        let position = known.unwrap_or(self.entries.len());
        match self.entries.get_mut(position) {
            Some(entry) => (entry.connection, entry.failed) = (connection, None),
            None => self.entries.push(Entry { address, connection, failed: None }),
        }
        // Its first request is the one that had it opened; the next one is for the next address.
        self.next = position + 1;
    }

    /// No further request shall use connections that no request has used for this long.
    pub(super) fn let_go(&mut self, limit: Duration) {
        for entry in &mut self.entries {
            let connection = &mut entry.connection;
            if connection.as_ref().is_some_and(|connection| connection.usage.is_idle_for(limit)) {
                *connection = None;
            }
        }
    }

    /// No further request shall use this connection.
    pub(super) fn forget(&mut self, forgotten: &Connection) {
        for entry in &mut self.entries {
            let same = |connection: &Connection| Arc::ptr_eq(&connection.link, &forgotten.link);
            if entry.connection.as_ref().is_some_and(same) {
                entry.connection = None;
            }
        }
    }

    /// Whether the addresses of the name have to be looked up.
    pub(super) fn is_unresolved(&self) -> bool {
        self.resolved.is_none_or(|resolved| resolved.elapsed() >= RESOLVED_FOR)
    }

    /// Takes the addresses of the name up; connections to those that are gone are let go.
    pub(super) fn resolve(&mut self, addresses: Vec<SocketAddr>) {
        self.resolved = Some(Instant::now());
        let mut before = std::mem::take(&mut self.entries);
        for address in addresses.into_iter().take(ADDRESSES_MAX).map(Some) {
            if self.entries.iter().any(|entry| entry.address == address) {
                continue;
            }
            let known = before.iter().position(|entry| entry.address == address);
            let new = Entry { address, connection: None, failed: None };
            self.entries.push(known.map_or(new, |position| before.swap_remove(position)));
        }
    }

    /// The addresses to connect to, the one whose turn it is first.
    pub(super) fn wanting(&mut self) -> Vec<SocketAddr> {
        let start = self.next.min(self.entries.len());
        let (before, after) = self.entries.split_at_mut(start);
        let wanting = after.iter_mut().chain(before).filter_map(|entry| {
            (entry.live().is_none() && !entry.is_avoided()).then_some(entry.address)?
        });
        wanting.collect()
    }

    /// Leaves an address alone for a while.
    pub(super) fn fail(&mut self, address: SocketAddr) {
        let found = self.entries.iter_mut().find(|entry| entry.address == Some(address));
        if let Some(entry) = found {
            entry.failed = Some(Instant::now());
        }
    }

    /// Begins anew: no address can be reached, and the name may have others by now.
    pub(super) fn begin_anew(&mut self) {
        self.resolved = None;
        self.entries.clear();
    }

    /// The server speaks HTTP/1.
    pub(super) fn refuse(&mut self) {
        self.is_refused = true;
    }

    /// Whether the server is known to speak HTTP/1.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.iter().all(|entry| entry.connection.is_none())
    }
}

impl Entry {
    /// The connection, if it is open.
    fn live(&mut self) -> Option<&Connection> {
        if self.connection.as_ref().is_some_and(|connection| connection.sender.is_closed()) {
            self.connection = None;
        }
        self.connection.as_ref()
    }

    fn is_avoided(&self) -> bool {
        self.failed.is_some_and(|failed| failed.elapsed() < FAILED_FOR)
    }
}
