//! The processor, by `/proc/cpuinfo`.
//!
//! Keys as in shirou/gopsutil `cpu/cpu_linux.go`.

use crate::detected::Collector;

/// What a vendor's number means on ARM.
const IMPLEMENTERS: [(&str, &str); 15] = [
    ("0x41", "ARM"),
    ("0x42", "Broadcom"),
    ("0x43", "Cavium"),
    ("0x44", "DEC"),
    ("0x46", "Fujitsu"),
    ("0x48", "HiSilicon"),
    ("0x49", "Infineon"),
    ("0x4d", "Motorola/Freescale"),
    ("0x4e", "NVIDIA"),
    ("0x50", "APM"),
    ("0x51", "Qualcomm"),
    ("0x56", "Marvell"),
    ("0x61", "Apple"),
    ("0x69", "Intel"),
    ("0xc0", "Ampere"),
];

/// Describes the first processor.
pub(super) fn describe(found: &mut Collector<'_>, cpuinfo: &str) {
    // Each processor is a paragraph.
    let first = cpuinfo.split("\n\n").next().unwrap_or_default();
    let get = |keys: &[&str]| {
        let pairs = first.lines().filter_map(|line| line.split_once(':'));
        let mut values = pairs.filter(|(key, _)| keys.contains(&key.trim()));
        values.next().map(|(_, value)| value.trim())
    };
    let implementer = get(&["CPU implementer"]).map(|number| {
        let known = IMPLEMENTERS.iter().find(|(known, _)| *known == number);
        known.map_or(number, |(_, name)| name)
    });
    found.text("host.cpu.vendor.id", get(&["vendor_id", "vendorId"]).or(implementer));
    found.text("host.cpu.family", get(&["cpu family", "marchid"]));
    found.text("host.cpu.model.id", get(&["model", "CPU part", "mimpid"]));
    found.text("host.cpu.model.name", get(&["model name", "Model Name", "uarch"]));
    found.text("host.cpu.stepping", get(&["stepping", "CPU revision"]));
    let kilobytes = get(&["cache size"]).and_then(|size| size.strip_suffix(" KB")?.parse().ok());
    found.number("host.cpu.cache.l2.size", kilobytes);
}
