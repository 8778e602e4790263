//! Ports for programs that must be told one before they start.

use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which the kernel takes the ports of outgoing connections (32768 and up by default), so that no
/// connection of another test can take the port between here and the program that will listen on it.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

/// A port on which nothing listens, different at every call in this process.
///
/// It is asked by connecting, not by listening for a moment: a program that another thread starts just then would inherit the socket until its
/// exec, and the port would be in use when its owner comes.
///
/// # Panics
///
/// When there is no free port at all.
pub fn free() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that run at the same time start far from each other.
    let start = std::process::id().wrapping_mul(7919) % COUNT;
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| !is_taken(*port))
        .unwrap_or_else(|| panic!("no port from {FIRST} on is free"))
}

/// Whether something listens on the port.
pub fn is_taken(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
