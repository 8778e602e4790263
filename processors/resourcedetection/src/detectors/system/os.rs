//! Name, version and build of the operating system.

use std::collections::BTreeMap;

use super::Files;
use crate::detected::Collector;

pub(super) fn describe(found: &mut Collector<'_>, files: &Files) {
    let release = files.read("etc/os-release").or_else(|| files.read("usr/lib/os-release"));
    let release = release.unwrap_or_default();
    let release = parse(&release);
    let get = |key: &str| release.get(key).filter(|value| !value.is_empty()).cloned();
    let id = get("ID");
    // Debian's minor version is in a file of its own.
    let debian = (id.as_deref() == Some("debian")).then(|| files.line("etc/debian_version"));
    found.text("os.version", debian.flatten().or_else(|| get("VERSION_ID")));
    found.text("os.name", id.as_deref().map(name));
    let kernel = rustix::system::uname();
    let release_of_kernel = kernel.release().to_string_lossy();
    found.text("os.build.id", get("BUILD_ID").or_else(|| Some(release_of_kernel.into_owned())));
    let parts =
        [kernel.sysname(), kernel.nodename(), kernel.release(), kernel.version(), kernel.machine()];
    let kernel = parts.map(|part| part.to_string_lossy()).join(" ");
    let pretty = get("PRETTY_NAME").or_else(|| {
        let version = get("VERSION").or_else(|| get("VERSION_ID"));
        let version = version.map(|version| format!(" {version}")).unwrap_or_default();
        get("NAME").map(|name| format!("{name}{version}"))
    });
    found.text(
        "os.description",
        Some(match pretty {
            Some(pretty) => format!("{pretty} ({kernel})"),
            None => kernel,
        }),
    );
}

/// The name that upstream has for a distribution.
fn name(id: &str) -> &str {
    match id {
        "amzn" => "amazon",
        "rhel" => "redhat",
        "ol" => "oracle",
        other => other,
    }
}

/// `KEY=value` lines, with quotes or without.
fn parse(text: &str) -> BTreeMap<&str, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs
        .map(|(key, value)| {
            let quoted = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
            let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
            (key, value.replace("\\\"", "\"").replace("\\$", "$"))
        })
        .collect()
}
