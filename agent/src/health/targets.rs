//! Whom to ask, from the config alone.

use std::path::PathBuf;

use confmap::Node;
use pipeline::ComponentId;

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

/// The health_check extension that runs, if there is one, otherwise the ports of the receivers that pipelines use.
pub(super) fn of(root: &Node) -> Vec<Target> {
    let service = root.get("service");
    let extensions = service.and_then(|service| service.get("extensions"));
    let is_health_check = |id: &ComponentId| is_type(id, "healthcheck");
    if let Some(id) = ids(extensions).into_iter().find(is_health_check) {
        let section = section(root, "extensions", &id);
        return vec![extension(&id, section)];
    }
    let pipelines = service.and_then(|service| service.get("pipelines")).and_then(Node::as_map);
    let mut used: Vec<ComponentId> = Vec::new();
    for pipeline in pipelines.into_iter().flatten() {
        for id in ids(pipeline.node.get("receivers")) {
            if !used.contains(&id) {
                used.push(id);
            }
        }
    }
    used.iter().flat_map(|id| receiver(id, section(root, "receivers", id))).collect()
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

fn extension(id: &ComponentId, section: Option<&Node>) -> Target {
    let text = |key: &str| section?.get(key)?.text().map(str::to_owned);
    let address = text("endpoint").unwrap_or_else(|| "localhost:13133".to_owned());
    let is_encrypted =
        section.and_then(|section| section.get("tls")).is_some_and(|tls| !tls.is_null());
    if text("transport").as_deref() == Some("unix") {
        return Target::File { name: id.to_string(), path: socket_path(&address) };
    }
    if is_encrypted {
        // That it listens says that it runs; what it says would need its certificate authority.
        return Target::Port { name: id.to_string(), address };
    }
    Target::Extension { address, path: text("path").unwrap_or_else(|| "/".to_owned()) }
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

    fn check(yaml: &str, expected: &[&str]) {
        let root = Node::from_yaml("test", yaml).unwrap();
        let found: Vec<String> = of(&root)
            .into_iter()
            .map(|target| match target {
                Target::Extension { address, path } => format!("http {address} {path}"),
                Target::Port { name, address } => format!("port {address} of {name}"),
                Target::File { name, path } => format!("file {} of {name}", path.display()),
            })
            .collect();
        assert_eq!(found, expected, "{yaml}");
    }

    #[test]
    fn the_health_check_extension_is_asked_if_it_runs() {
        let listed = "{service: {extensions: [health_check]}, extensions: {health_check: {endpoint: '0.0.0.0:1', path: /x}}}";
        check(listed, &["http 0.0.0.0:1 /x"]);
        check(
            "{service: {extensions: [healthcheck/a]}, extensions: {healthcheck/a: }}",
            &["http localhost:13133 /"],
        );
        let encrypted = "{service: {extensions: [health_check]}, extensions: {health_check: {tls: {cert_file: c}}}}";
        check(encrypted, &["port localhost:13133 of health_check"]);
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
