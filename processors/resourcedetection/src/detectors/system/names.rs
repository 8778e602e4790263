//! The host's name: from the operating system, or as the network knows it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use super::Files;
use crate::config::HostnameSource;

/// Questions about names, to the operating system and to name servers. They block.
pub(super) trait Resolver: Clone + Send + 'static {
    /// The name that the operating system has for this host.
    fn own_name(&self) -> Option<String>;
    /// A name's canonical name.
    fn canonical_name(&self, name: &str) -> Option<String>;
    /// A name's addresses.
    fn addresses(&self, name: &str) -> Vec<IpAddr>;
    /// An address's name.
    fn name_of(&self, address: IpAddr) -> Option<String>;
}

/// The real ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Resolver for System {
    fn own_name(&self) -> Option<String> {
        let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
        (!name.is_empty()).then_some(name)
    }

    fn canonical_name(&self, name: &str) -> Option<String> {
        /// `AI_CANONNAME`, the same on every libc of Linux.
        const CANONICAL_NAME: i32 = 0x2;
        let hints = dns_lookup::AddrInfoHints {
            flags: CANONICAL_NAME,
            ..dns_lookup::AddrInfoHints::default()
        };
        let mut found = dns_lookup::getaddrinfo(Some(name), None, Some(hints)).ok()?;
        found.find_map(|info| info.ok()?.canonname)
    }

    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        dns_lookup::lookup_host(name).map(Iterator::collect).unwrap_or_default()
    }

    fn name_of(&self, address: IpAddr) -> Option<String> {
        // Where there is no name, the address itself comes back.
        dns_lookup::lookup_addr(&address).ok().filter(|name| name.parse::<IpAddr>().is_err())
    }
}

/// The name of the first source that has one.
pub(super) async fn host(
    root: &Path,
    sources: &[HostnameSource],
    resolver: &impl Resolver,
    patience: Duration,
) -> Option<String> {
    for source in sources {
        if *source == HostnameSource::Os {
            match resolver.own_name() {
                Some(name) => return Some(name),
                None => continue,
            }
        }
        let (root, source, resolver) = (root.to_owned(), *source, resolver.clone());
        let asked = tokio::task::spawn_blocking(move || ask(&root, source, &resolver));
        // A name server that does not answer keeps its thread until the resolver gives up, and nobody else.
        if let Ok(Ok(Some(name))) = tokio::time::timeout(patience, asked).await {
            return Some(name);
        }
    }
    None
}

fn ask(root: &Path, source: HostnameSource, resolver: &impl Resolver) -> Option<String> {
    let own = resolver.own_name()?;
    let by_address = || {
        let mut addresses = resolver.addresses(&own).into_iter();
        addresses.find_map(|address| resolver.name_of(address))
    };
    let name = match source {
        HostnameSource::Os => own,
        HostnameSource::Cname => resolver.canonical_name(&own)?,
        HostnameSource::Lookup => by_address()?,
        // As Showmax/go-fqdn.
        HostnameSource::Dns => of_hosts_file(root, &own)
            .or_else(|| resolver.canonical_name(&own))
            .or_else(by_address)?,
    };
    let name = name.trim_end_matches('.');
    (!name.is_empty()).then(|| name.to_owned())
}

/// The first name of the line of the hosts file in which a name stands.
fn of_hosts_file(root: &Path, name: &str) -> Option<String> {
    let text = Files { root: root.to_owned() }.read("etc/hosts")?;
    text.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut names = line.split_whitespace().skip(1);
        let first = names.next()?;
        (first == name || names.any(|alias| alias == name)).then(|| first.to_owned())
    })
}
