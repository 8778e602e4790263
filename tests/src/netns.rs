//! Tests in a network of their own, in which the addresses of cloud metadata can be had without touching the machine's.
//!
//! The test's function is run again in another process, by the same test binary, inside a network namespace. It needs root, or a kernel that
//! lets users make namespaces; `ip` and `unshare` are among the tools that `cargo xtask parts` looks for.

use std::process::Command;

use crate::process::Process;

const INSIDE: &str = "HIKYAKU_TEST_NETNS";

/// Addresses and routes of a network, as commands for the shell that sets it up.
const SET_UP: &str = "ip link set lo up";

/// What a network is to have besides the loopback interface.
#[derive(Clone, Copy, Debug)]
pub enum Has {
    /// An address at which a fake can listen.
    Address(&'static str),
    /// An address to which packets get lost on the way.
    Silence(&'static str),
}

/// Runs `body` in a network that has this and nothing else. `test` is the calling test's full name, as `module::function`.
///
/// # Panics
///
/// When the network cannot be made, or the body panics in it.
pub fn inside(test: &str, network: &[Has], body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some_and(|running| running == test) {
        return body();
    }
    let own = std::env::current_exe().unwrap_or_else(|error| panic!("no test binary: {error}"));
    let mut command = Command::new("unshare");
    command.arg("--net");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["sh", "-c", &format!("{} && exec \"$0\" \"$@\"", script(network))]);
    command.arg(own).args(["--exact", test, "--nocapture"]).env(INSIDE, test);
    let ended = Process::start("the test in its own network", command).wait();
    let output = format!("{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(
        ended.code,
        Some(0),
        "{test} in a network of its own (which needs root, `unshare` and `ip`):\n{output}"
    );
    assert!(ended.stdout.contains("1 passed"), "there is no test {test:?}:\n{output}");
}

fn script(network: &[Has]) -> String {
    let mut script = SET_UP.to_owned();
    for has in network {
        let command = match has {
            Has::Address(address) => format!("ip address add {address} dev lo"),
            // What is sent to oneself for somebody else is dropped.
            Has::Silence(address) => format!("ip route add {address} dev lo"),
        };
        script.push_str(&format!(" && {command}"));
    }
    script
}
