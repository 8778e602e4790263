use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::config::HostnameSource;
use crate::config::HostnameSource::{Cname, Dns, Lookup, Os};
use crate::detected::Wanted;

/// Names as a test has them.
#[derive(Clone, Default)]
struct Names {
    own: Option<&'static str>,
    canonical: Option<&'static str>,
    reverse: Option<&'static str>,
}

impl Resolver for Names {
    fn own_name(&self) -> Option<String> {
        self.own.map(str::to_owned)
    }

    fn canonical_name(&self, name: &str) -> Option<String> {
        assert_eq!(Some(name), self.own);
        self.canonical.map(str::to_owned)
    }

    fn addresses(&self, _: &str) -> Vec<IpAddr> {
        vec![IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2))]
    }

    fn name_of(&self, address: IpAddr) -> Option<String> {
        let reverse = self.reverse.map(str::to_owned);
        reverse.filter(|_| address == IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)))
    }
}

/// A root folder with these files.
fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn config(sources: &[HostnameSource], wanted: &[&'static str]) -> System {
    System { hostname_sources: sources.to_vec(), wanted: Wanted::of(wanted.iter().copied()) }
}

async fn detected(files: &[(&str, &str)], wanted: &[&'static str]) -> Vec<String> {
    let folder = root(files);
    let names = Names { own: Some("web-1"), ..Names::default() };
    let patience = Duration::from_secs(20);
    let found = detect_at(folder.path(), &config(&[Os], wanted), &names, patience).await;
    found.unwrap().text()
}

#[tokio::test]
async fn the_hosts_name_is_that_of_the_first_source_that_has_one() {
    const HOSTS: &str = "127.0.0.1 localhost # web-1\n192.0.2.1\tweb-1.example.com web-1 www\n";
    let all = Names {
        own: Some("web-1"),
        canonical: Some("canonical.example.com."),
        reverse: Some("reverse.example.com."),
    };
    let no_canonical = Names { canonical: None, ..all.clone() };
    let bare = Names { reverse: None, ..no_canonical.clone() };
    let other = Names { own: Some("db-1"), ..all.clone() };
    for (sources, names, expected) in [
        (&[Dns, Os][..], &all, Some("web-1.example.com")),
        (&[Dns, Os], &other, Some("canonical.example.com")),
        (&[Os, Dns], &all, Some("web-1")),
        (&[Cname], &all, Some("canonical.example.com")),
        (&[Lookup], &all, Some("reverse.example.com")),
        (&[Cname, Lookup], &no_canonical, Some("reverse.example.com")),
        (&[Cname, Lookup, Os], &bare, Some("web-1")),
        (&[Cname, Lookup], &bare, None),
        (&[Dns, Os], &Names::default(), None),
    ] {
        let folder = root(&[("etc/hosts", HOSTS)]);
        let name = names::host(folder.path(), sources, names, Duration::from_secs(20)).await;
        assert_eq!(name.as_deref(), expected, "{sources:?}");
    }
    let folder = root(&[]);
    let name = names::host(folder.path(), &[Dns, Os], &no_canonical, Duration::from_secs(20)).await;
    assert_eq!(name.as_deref(), Some("reverse.example.com"), "without a hosts file");
}

#[tokio::test]
async fn a_host_without_a_name_is_a_failure_for_now() {
    let folder = root(&[]);
    let config = config(&[Dns, Os], &["host.name"]);
    let patience = Duration::from_secs(20);
    let failure = detect_at(folder.path(), &config, &Names::default(), patience).await.unwrap_err();
    assert!(matches!(&failure, Failure::ForNow(text) if text.contains("all hostname sources")));
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_is_passed_over() {
    /// Blocks until the test is over.
    #[derive(Clone)]
    struct Silent(std::sync::Arc<std::sync::Barrier>);

    impl Resolver for Silent {
        fn own_name(&self) -> Option<String> {
            Some("web-1".to_owned())
        }
        fn canonical_name(&self, _: &str) -> Option<String> {
            self.0.wait();
            None
        }
        fn addresses(&self, _: &str) -> Vec<IpAddr> {
            Vec::new()
        }
        fn name_of(&self, _: IpAddr) -> Option<String> {
            None
        }
    }

    let (folder, barrier) = (root(&[]), std::sync::Arc::new(std::sync::Barrier::new(2)));
    let resolver = Silent(barrier.clone());
    let name = names::host(folder.path(), &[Dns, Os], &resolver, Duration::from_millis(1)).await;
    barrier.wait();
    assert_eq!(name.as_deref(), Some("web-1"));
}

#[tokio::test]
async fn only_what_is_wanted_is_found() {
    assert_eq!(
        detected(&[], &["host.name", "os.type"]).await,
        ["host.name=web-1", "os.type=linux"]
    );
    assert!(detected(&[], &[]).await.is_empty());
}

#[tokio::test]
async fn ids_and_the_operating_system_come_from_their_files() {
    let wanted = ["host.id", "os.version", "os.name", "os.build.id", "os.description"];
    let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n";
    let found = detected(
        &[
            ("etc/machine-id", "0123456789abcdef\n"),
            ("etc/os-release", debian),
            ("etc/debian_version", "12.11\n"),
        ],
        &wanted,
    )
    .await;
    let kernel = rustix::system::uname();
    let kernel_release = kernel.release().to_str().unwrap();
    assert_eq!(
        found[..4],
        [
            "host.id=0123456789abcdef".to_owned(),
            "os.version=12.11".to_owned(),
            "os.name=debian".to_owned(),
            format!("os.build.id={kernel_release}"),
        ]
    );
    let start = format!(
        "os.description=Debian GNU/Linux 12 (bookworm) (Linux {} {kernel_release} ",
        kernel.nodename().to_str().unwrap()
    );
    assert!(found[4].starts_with(&start), "{}", found[4]);

    let amazon =
        "ID='amzn'\nVERSION_ID=2023\nNAME=Amazon\nVERSION=\"2023 \\\"x\\\"\"\nBUILD_ID=b1\n# c=d\n";
    let files = [("var/lib/dbus/machine-id", "fedc\n"), ("usr/lib/os-release", amazon)];
    let found = detected(&files, &wanted).await;
    let expected = ["host.id=fedc", "os.version=2023", "os.name=amazon", "os.build.id=b1"];
    assert_eq!(found[..4], expected.map(str::to_owned));
    assert!(found[4].starts_with("os.description=Amazon 2023 \"x\" (Linux "), "{}", found[4]);

    let found = detected(&[("etc/machine-id", "\n")], &wanted).await;
    assert!(found[0].starts_with("os.build.id=") && found[1].starts_with("os.description=Linux "));
}

#[tokio::test]
async fn the_first_processor_is_described() {
    let wanted = [
        "host.cpu.vendor.id",
        "host.cpu.family",
        "host.cpu.model.id",
        "host.cpu.model.name",
        "host.cpu.stepping",
        "host.cpu.cache.l2.size",
    ];
    let intel = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\nmodel name\t: Xeon: 8375C\nstepping\t: 6\ncache size\t: 55296 KB\n\nprocessor\t: 1\nvendor_id\t: Other\n";
    assert_eq!(
        detected(&[("proc/cpuinfo", intel)], &wanted).await,
        [
            "host.cpu.vendor.id=GenuineIntel",
            "host.cpu.family=6",
            "host.cpu.model.id=106",
            "host.cpu.model.name=Xeon: 8375C",
            "host.cpu.stepping=6",
            "host.cpu.cache.l2.size=55296",
        ]
    );
    let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd40\nCPU revision\t: 1\n";
    assert_eq!(
        detected(&[("proc/cpuinfo", arm)], &wanted).await,
        ["host.cpu.vendor.id=ARM", "host.cpu.model.id=0xd40", "host.cpu.stepping=1"]
    );
    assert!(detected(&[], &wanted).await.is_empty());
}

#[tokio::test]
async fn interfaces_are_told_apart_by_their_flags() {
    let files = [
        ("sys/class/net/eth0/ifindex", "2"),
        ("sys/class/net/eth0/flags", "0x1003"),
        ("sys/class/net/eth0/address", "0a:58:a9:fe:ab:02\n"),
        ("sys/class/net/lo/ifindex", "1"),
        ("sys/class/net/lo/flags", "0x9"),
        ("sys/class/net/lo/address", "00:00:00:00:00:00\n"),
        ("sys/class/net/eth1/ifindex", "10"),
        ("sys/class/net/eth1/flags", "0x1002"),
        ("sys/class/net/eth1/address", "0a:58:a9:fe:ab:03\n"),
        ("sys/class/net/bonding_masters", ""),
    ];
    let found = detected(&files, &["host.mac", "host.interface"]).await;
    assert_eq!(
        found,
        ["host.mac=[\"0A-58-A9-FE-AB-02\"]", "host.interface=[\"lo\",\"eth0\",\"eth1\"]"]
    );
}

#[tokio::test]
async fn this_machine_can_be_described() {
    let all = config(&[Os], &ATTRIBUTES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let found = detect(&all, Duration::from_secs(20)).await.unwrap();
    for name in ["host.name", "os.type", "host.arch", "os.description", "host.interface"] {
        assert!(found.names().contains(&name), "{:?}", found.names());
    }
}

#[test]
fn architectures_have_opentelemetrys_names() {
    let expected =
        [("x86_64", "amd64"), ("aarch64", "arm64"), ("arm", "arm32"), ("riscv64", "riscv64")];
    for (arch, name) in expected {
        assert_eq!(architecture(arch), name);
    }
}
