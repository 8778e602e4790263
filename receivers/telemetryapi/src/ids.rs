//! Identifiers from the kernel's randomness.
//!
//! Not from a generator of this process: SnapStart copies a process into many, which would all go on with the same numbers.

use std::fmt::Write;

/// Random bytes, never all zero.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let got = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    if got != Ok(N) || bytes == [0; N] {
        // A kernel without randomness is beyond us; an id has to be valid all the same.
        bytes.fill(1);
    }
    bytes
}

/// A random UUID (RFC 9562, version 4).
pub(crate) fn uuid() -> String {
    let mut text = String::with_capacity(36);
    for (place, byte) in random::<16>().into_iter().enumerate() {
        let byte = match place {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => byte,
        };
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_well_formed_and_differ() {
        assert_ne!(random::<8>(), random::<8>());
        let uuid = uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert_ne!(uuid, super::uuid());
    }
}
