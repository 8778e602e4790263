//! What a receiver remembers of a sender: metadata, address, authentication.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

/// A sender. Headers are kept only where a receiver's `include_metadata` says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Headers: lower-case names, in the order received; a name may repeat.
    pub metadata: Vec<(String, String)>,
    /// Address of the peer.
    pub address: Option<SocketAddr>,
    /// What a server authenticator found out, by attribute name.
    pub auth: Vec<(String, String)>,
}

impl Client {
    /// A sender of whom nothing is known. Does not allocate.
    pub fn unknown() -> Arc<Self> {
        static UNKNOWN: LazyLock<Arc<Client>> = LazyLock::new(Arc::default);
        UNKNOWN.clone()
    }

    /// The values of a header; `name` in any case.
    pub fn metadata<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.metadata.iter().filter(same).map(|(_, value)| value.as_str())
    }
}
