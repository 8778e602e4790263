//! Whom to ask, from the config alone.

use std::path::PathBuf;

use confmap::{Diagnostics, Node};
use pipeline::{ComponentId, Plan, Probe, TransportAddress};
use service::COMPONENTS;
use service::load::{self, Tree};

/// Somebody who can say whether the agent is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A health_check extension.
    Extension {
        /// `host:port`.
        address: String,
        /// The path it answers at.
        path: String,
    },
    /// A port that is enough to be listened at.
    Port {
        /// Whose port it is.
        name: String,
        /// `host:port`.
        address: String,
    },
    /// A socket file that is enough to be listened at.
    File {
        /// Whose file it is.
        name: String,
        /// Its path.
        path: PathBuf,
    },
}

/// Whom to ask, and how sure that is.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) targets: Vec<Target>,
    /// A part of the config that decides whom to ask is a placeholder.
    pub(super) is_open: bool,
}

/// The page of an extension that runs, if there is one, otherwise the ports of the receivers that pipelines use.
///
/// # Errors
/// What is wrong with that extension's section.
pub(super) fn of(tree: Tree) -> Result<Found, Diagnostics> {
    let Tree { root, diagnostics } = tree;
    let probe = Plan::probe(&root, &COMPONENTS, &diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let service = root.get("service");
    let extensions = service.and_then(|service| service.get("extensions"));
    let whole = [service, root.get("extensions")].into_iter().flatten().any(is_placeholder)
        || extensions.is_some_and(has_placeholder);
    let (targets, is_open) = match probe {
        Some((id, probe)) => (vec![page(&id, probe)], whole),
        None => {
            let pipelines = service.and_then(|service| service.get("pipelines"));
            let used = used_receivers(pipelines);
            let sections = used.iter().map(|id| (id, section(&root, "receivers", id)));
            let is_open = whole
                || root.get("receivers").is_some_and(is_placeholder)
                || pipelines.is_some_and(has_placeholder)
                || sections.clone().filter_map(|(_, section)| section).any(is_open_receiver);
            (sections.flat_map(|(id, section)| receiver(id, section)).collect(), is_open)
        }
    };
    let is_open = is_open || targets.iter().any(|target| load::has_placeholder(&target.place()));
    Ok(Found { targets, is_open })
}

impl Target {
    /// Where it is.
    fn place(&self) -> String {
        match self {
            Target::Extension { address, path } => format!("{address}{path}"),
            Target::Port { address, .. } => address.clone(),
            Target::File { path, .. } => path.display().to_string(),
        }
    }
}

/// Whether the whole value is a placeholder, or a text with one.
fn is_placeholder(node: &Node) -> bool {
    node.text().is_some_and(load::has_placeholder)
}

/// Whether there is a placeholder anywhere in a value.
fn has_placeholder(node: &Node) -> bool {
    is_placeholder(node)
        || node.as_seq().into_iter().flatten().any(has_placeholder)
        || node.as_map().into_iter().flatten().any(|entry| has_placeholder(&entry.node))
}

/// Whether a receiver's ports may be other ones than its section says so far.
fn is_open_receiver(section: &Node) -> bool {
    let protocols = section.get("protocols");
    let each = protocols.and_then(Node::as_map).into_iter().flatten().map(|entry| &entry.node);
    [Some(section), protocols].into_iter().flatten().chain(each).any(is_placeholder)
}

/// The receivers that pipelines use.
fn used_receivers(pipelines: Option<&Node>) -> Vec<ComponentId> {
    let mut used: Vec<ComponentId> = Vec::new();
    for pipeline in pipelines.and_then(Node::as_map).into_iter().flatten() {
        for id in ids(pipeline.node.get("receivers")) {
            if !used.contains(&id) {
                used.push(id);
            }
        }
    }
    used
}

/// Whether an id is of a type, whichever way its underscores are written.
fn is_type(id: &ComponentId, run_together: &str) -> bool {
    id.component_type().replace('_', "") == run_together
}

/// The ids of a list.
fn ids(list: Option<&Node>) -> Vec<ComponentId> {
    let texts: Vec<&str> = match list {
        Some(node) => match node.as_seq() {
            Some(items) => items.iter().filter_map(Node::text).collect(),
            None => node.as_str().map(|text| text.split(',').collect()).unwrap_or_default(),
        },
        None => Vec::new(),
    };
    texts.into_iter().filter_map(|text| text.parse().ok()).collect()
}

/// A component's section. Keys are compared as ids, since blanks around a type or name do not count.
fn section<'a>(root: &'a Node, kind: &str, id: &ComponentId) -> Option<&'a Node> {
    let map = root.get(kind)?.as_map()?;
    let entry = map.iter().find(|entry| entry.key.parse::<ComponentId>().as_ref() == Ok(id))?;
    Some(&entry.node)
}

fn page(id: &ComponentId, probe: Probe) -> Target {
    match probe.address {
        TransportAddress::Unix(path) => Target::File { name: id.to_string(), path },
        // That it listens says that it runs; what it says would need its certificate authority.
        TransportAddress::Tcp(address) if probe.is_encrypted => {
            Target::Port { name: id.to_string(), address }
        }
        TransportAddress::Tcp(address) => Target::Extension { address, path: probe.path },
    }
}

fn receiver(id: &ComponentId, section: Option<&Node>) -> Vec<Target> {
    let listens = |node: Option<&Node>, default: Option<&str>| {
        let text = |key: &str| node?.get(key)?.text();
        let name = id.to_string();
        let endpoint = text("endpoint").or(default)?;
        Some(match text("transport") {
            Some("unix") => Target::File { name, path: socket_path(endpoint) },
            _ => Target::Port { name, address: endpoint.to_owned() },
        })
    };
    if is_type(id, "otlp") {
        let protocols = section.and_then(|section| section.get("protocols")?.as_map());
        let protocol = |key: &str, default: &str| {
            let entry = protocols?.entry(key)?;
            listens(Some(&entry.node), Some(default))
        };
        let both = [protocol("grpc", "localhost:4317"), protocol("http", "localhost:4318")];
        return both.into_iter().flatten().collect();
    }
    let default = is_type(id, "zipkin").then_some("localhost:9411");
    listens(section, default).into_iter().collect()
}

fn socket_path(endpoint: &str) -> PathBuf {
    PathBuf::from(endpoint.strip_prefix("unix://").unwrap_or(endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(yaml: &str) -> Result<Found, Diagnostics> {
        let root = Node::from_yaml("test", yaml).unwrap();
        of(Tree { root, diagnostics: Diagnostics::new() })
    }

    fn check(yaml: &str, expected: &[&str]) {
        let found = found(yaml).unwrap().targets.into_iter();
        let found = found.map(|target| match target {
            Target::Extension { address, path } => format!("http {address} {path}"),
            Target::Port { name, address } => format!("port {address} of {name}"),
            Target::File { name, path } => format!("file {} of {name}", path.display()),
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{yaml}");
    }

    #[test]
    #[cfg(feature = "extension-health-check")]
    fn the_page_of_the_health_check_extension_is_asked_if_it_runs() {
        for (id, section, expected) in [
            ("health_check", "{endpoint: '0.0.0.0:1', path: /x}", "http 0.0.0.0:1 /x"),
            ("healthcheck/a", "", "http localhost:13133 /"),
            ("healthcheckv2", "{endpoint: 'h:1'}", "http h:1 /"),
            ("healthcheckv2", "{use_v2: true, http: {endpoint: 'h:1'}}", "http h:1 /status"),
            (
                "health_check",
                "{use_v2: true, http: {endpoint: 'h:1', status: {path: /healthz}}}",
                "http h:1 /healthz",
            ),
            (
                "health_check",
                "{tls: {cert_file: c, key_file: k}}",
                "port localhost:13133 of health_check",
            ),
            ("health_check", "{endpoint: /run/h, transport: unix}", "file /run/h of health_check"),
        ] {
            let yaml = format!(
                "{{service: {{extensions: [sigv4auth, {id}], pipelines: 7}}, extensions: {{sigv4auth: {{odd: 1}}, {id}: {section}}}}}"
            );
            check(&yaml, &[expected]);
        }
        let wrong =
            "{service: {extensions: [health_check]}, extensions: {health_check: {path: x}}}";
        assert_eq!(found(wrong).unwrap_err().error_count(), 1);
    }

    #[test]
    #[cfg(feature = "extension-health-check")]
    fn what_decides_whom_to_ask_is_open_while_it_is_missing() {
        const MISSING: &str = "not-fetched-yet";
        let page = "{exporters: {x: {key: MISSING}}, extensions: {health_check: {endpoint: 'h:1', response_body: {healthy: MISSING}}}, service: {extensions: [health_check]}}";
        let ports = "{receivers: {otlp: {protocols: {grpc: {endpoint: 'h:1', tls: {key_pem: MISSING}}}}}, service: {pipelines: {traces: {receivers: [otlp]}}}}";
        for (yaml, changes) in [
            (
                page,
                &[
                    ("h:1", MISSING),
                    ("[health_check]", MISSING),
                    ("{extensions: [health_check]}", MISSING),
                ][..],
            ),
            (
                ports,
                &[("h:1", "MISSING:1"), ("[otlp]", MISSING), ("{grpc: ", "{grpc: MISSING, a: ")],
            ),
        ] {
            let found_in = |yaml: &str| found(&yaml.replace("MISSING", MISSING)).unwrap();
            assert!(!found_in(yaml).is_open, "{yaml}");
            for (part, other) in changes {
                let yaml = yaml.replace(part, other);
                assert!(
                    found(&yaml.replace("MISSING", MISSING)).map_or(true, |f| f.is_open),
                    "{yaml}"
                );
            }
        }
    }

    #[test]
    fn otherwise_the_receivers_ports_are_asked() {
        check(
            "{extensions: {health_check: }, receivers: {otlp: {protocols: {grpc: , http: {endpoint: ':1'}}}, zipkin: , unused: {endpoint: 'h:2'}},
              service: {pipelines: {traces: {receivers: [otlp, zipkin]}, logs: {receivers: [otlp]}}}}",
            &["port localhost:4317 of otlp", "port :1 of otlp", "port localhost:9411 of zipkin"],
        );
        check(
            "{receivers: {otlp: {protocols: {grpc: {endpoint: /run/a, transport: unix}}}, nop: },
              service: {pipelines: {traces: {receivers: 'otlp,nop'}}}}",
            &["file /run/a of otlp"],
        );
        check("{receivers: {nop: }, service: {pipelines: {traces: {receivers: [nop]}}}}", &[]);
    }
}
