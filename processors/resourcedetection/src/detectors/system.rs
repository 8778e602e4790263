//! The operating system: its name and version, the host's names, addresses and processor.
//!
//! Everything is read from files and calls of the kernel; the host's name alone may take a question to a name server.

mod cpu;
mod names;
mod os;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Failure;
use crate::config::System;
use crate::detected::{Collector, Detected};
use names::Resolver;

/// The attributes, and whether each is on unless it is turned off.
pub(crate) const ATTRIBUTES: &[(&str, bool)] = &[
    ("host.arch", false),
    ("host.cpu.cache.l2.size", false),
    ("host.cpu.family", false),
    ("host.cpu.model.id", false),
    ("host.cpu.model.name", false),
    ("host.cpu.stepping", false),
    ("host.cpu.vendor.id", false),
    ("host.id", false),
    ("host.interface", false),
    ("host.ip", false),
    ("host.mac", false),
    ("host.name", true),
    ("os.build.id", false),
    ("os.description", false),
    ("os.name", false),
    ("os.type", true),
    ("os.version", false),
];

/// The longest wait for a name server: the next source of the name may need none.
const NAME_TIMEOUT: Duration = Duration::from_secs(2);

/// A file that is longer is none of those that are read here.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What can be found out.
pub(crate) async fn detect(config: &System, timeout: Duration) -> Result<Detected, Failure> {
    let patience = NAME_TIMEOUT.min(timeout / 2);
    detect_at(Path::new("/"), config, &names::System, patience).await
}

/// The same, of the files below a folder.
async fn detect_at(
    root: &Path,
    config: &System,
    resolver: &impl Resolver,
    patience: Duration,
) -> Result<Detected, Failure> {
    let wanted = &config.wanted;
    let mut found = Collector::new(wanted);
    let name = names::host(root, &config.hostname_sources, resolver, patience).await;
    let name = name
        .ok_or_else(|| Failure::ForNow("all hostname sources failed to get hostname".to_owned()))?;
    found.text("host.name", Some(name));
    found.text("os.type", Some("linux"));
    let files = Files { root: root.to_owned() };
    if wanted.any(&["host.arch"]) {
        found.text("host.arch", Some(architecture(std::env::consts::ARCH)));
    }
    if wanted.any(&["host.id"]) {
        found.text("host.id", files.machine_id());
    }
    if wanted.any(&["os.version", "os.name", "os.build.id", "os.description"]) {
        os::describe(&mut found, &files);
    }
    if wanted.any(&["host.ip", "host.mac", "host.interface"]) {
        describe_interfaces(&mut found, &files)?;
    }
    if ATTRIBUTES.iter().any(|(name, _)| name.starts_with("host.cpu.") && wanted.any(&[name])) {
        cpu::describe(&mut found, &files.read("proc/cpuinfo").unwrap_or_default());
    }
    Ok(found.finish())
}

/// Files below a folder.
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    /// A file's text, when there is one of a sensible size.
    fn read(&self, path: &str) -> Option<String> {
        use std::io::Read as _;
        let file = std::fs::File::open(self.root.join(path)).ok()?;
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// A file's text without white space around it, unless nothing is left.
    fn line(&self, path: &str) -> Option<String> {
        let text = self.read(path)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn machine_id(&self) -> Option<String> {
        self.line("etc/machine-id").or_else(|| self.line("var/lib/dbus/machine-id"))
    }

    /// The names of the network interfaces, in the order of their numbers.
    fn interfaces(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join("sys/class/net"));
        let mut interfaces: Vec<(u64, String)> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                let index = self.line(&format!("sys/class/net/{name}/ifindex"))?;
                Some((index.parse().ok()?, name))
            })
            .collect();
        interfaces.sort();
        interfaces.into_iter().map(|(_, name)| name).collect()
    }

    /// Whether an interface is up and not this machine talking to itself.
    fn is_outward(&self, interface: &str) -> bool {
        const UP: u32 = 0x1;
        const LOOPBACK: u32 = 0x8;
        let flags = self.line(&format!("sys/class/net/{interface}/flags"));
        let flags = flags.as_deref().and_then(|text| text.strip_prefix("0x"));
        let flags = flags.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0);
        flags & UP != 0 && flags & LOOPBACK == 0
    }
}

fn describe_interfaces(found: &mut Collector<'_>, files: &Files) -> Result<(), Failure> {
    let all = files.interfaces();
    let outward: Vec<&String> = all.iter().filter(|name| files.is_outward(name)).collect();
    let addresses = if_addrs::get_if_addrs()
        .map_err(|error| Failure::ForNow(format!("the host's addresses can't be had: {error}")))?;
    let addresses = addresses.iter().filter(|address| {
        !address.is_loopback() && outward.iter().any(|name| **name == address.name)
    });
    let ips: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
    let macs: Vec<String> = outward
        .iter()
        .filter_map(|name| files.line(&format!("sys/class/net/{name}/address")))
        .map(|mac| mac.replace(':', "-").to_ascii_uppercase())
        .collect();
    found.list("host.ip", &ips);
    found.list("host.mac", &macs);
    found.list("host.interface", &all);
    Ok(())
}

/// An architecture as OpenTelemetry names it.
fn architecture(arch: &str) -> &str {
    match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc64" => "ppc64",
        "powerpc" => "ppc32",
        other => other,
    }
}

#[cfg(test)]
mod tests;
