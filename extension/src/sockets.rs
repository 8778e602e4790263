//! Listening before the pipelines are there.
//!
//! The runtime starts when every extension has registered, and a function may send while it initialises. Where a part of the config comes
//! over the network, which must not be touched before registering, the sockets of OTLP are bound first: the system completes connections
//! to them, and requests wait until the pipelines are there.

use config::ListenAddress;
use confmap::Node;
use pipeline::{ComponentId, Listener, Listeners, TransportAddress};

const GRPC: &str = "localhost:4317";
const HTTP: &str = "localhost:4318";

/// Binds the sockets of the OTLP receivers in this config; those of the default where there is no config yet. A socket that cannot be bound
/// is left for its receiver to complain about.
pub(crate) fn bind(root: Option<&Node>, listeners: &Listeners) -> Vec<Listener> {
    let addresses = match root {
        Some(root) => of_config(root),
        None => of_receiver("otlp", [Some(GRPC.to_owned()), Some(HTTP.to_owned())]),
    };
    let bound = addresses.into_iter().filter_map(|(id, address)| {
        let address = TransportAddress::Tcp(ListenAddress::tcp(&address).bind_address());
        listeners.bind(&id, &address).ok()
    });
    bound.collect()
}

fn of_config(root: &Node) -> Vec<(ComponentId, String)> {
    let receivers = root.get("receivers").and_then(Node::as_map).into_iter().flatten();
    let otlp = receivers.filter(|entry| entry.key.split('/').next() == Some("otlp"));
    let addresses = otlp.flat_map(|entry| {
        let protocols = entry.node.get("protocols").and_then(Node::as_map);
        let address = |key: &str, default: &str| {
            let node = &protocols?.entry(key)?.node;
            let text = |key: &str| node.get(key)?.text();
            let is_tcp = text("transport").is_none_or(|transport| transport != "unix");
            is_tcp.then(|| text("endpoint").unwrap_or(default).to_owned())
        };
        of_receiver(&entry.key, [address("grpc", GRPC), address("http", HTTP)])
    });
    addresses.collect()
}

fn of_receiver(id: &str, addresses: [Option<String>; 2]) -> Vec<(ComponentId, String)> {
    let Ok(id) = id.parse::<ComponentId>() else { return Vec::new() };
    addresses.into_iter().flatten().map(|address| (id.clone(), address)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_that_is_there_has_its_address() {
        let yaml = "receivers:\n  otlp/a:\n    protocols:\n      grpc:\n      http: {endpoint: '127.0.0.1:5'}\n  otlp: {protocols: {http: }}\n  nop:\n";
        let root = Node::from_yaml("test", yaml).unwrap();
        let found: Vec<_> =
            of_config(&root).into_iter().map(|(id, address)| format!("{id} {address}")).collect();
        assert_eq!(found, ["otlp/a localhost:4317", "otlp/a 127.0.0.1:5", "otlp localhost:4318"]);
    }

    #[test]
    fn the_receiver_gets_the_socket_that_was_bound_for_it() {
        let listeners = Listeners::default();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let yaml = format!("receivers: {{otlp: {{protocols: {{http: {{endpoint: '{free}'}}}}}}}}");
        let root = Node::from_yaml("test", &yaml).unwrap();
        let bound = bind(Some(&root), &listeners);
        assert_eq!(bound.first().and_then(Listener::local_addr), Some(free));
        let address = TransportAddress::Tcp(free.to_string());
        assert!(listeners.bind(&"otlp".parse().unwrap(), &address).is_ok());
    }
}
