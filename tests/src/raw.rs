//! A bare connection, for what no well-behaved client would send.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};

use crate::wait::PATIENCE;

/// A connection whose every read and write has a deadline.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects to a port of the loopback interface.
    ///
    /// # Panics
    ///
    /// When nothing listens there.
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        let stream = stream.unwrap_or_else(|error| panic!("port {port}: {error}"));
        let set = stream.set_read_timeout(Some(PATIENCE));
        let set = set.and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        set.unwrap_or_else(|error| panic!("a deadline for port {port}: {error}"));
        Self { stream }
    }

    /// Writes; false when the peer has closed the connection.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Says that nothing more will be written.
    pub fn finish(&self) {
        // A connection that is closed already is finished, too.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads to the connection's end.
    ///
    /// # Panics
    ///
    /// When the peer neither writes nor closes within the patience of [`crate::wait`].
    pub fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("waited for the peer to close the connection: {error}"),
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads the first line of an HTTP answer.
    ///
    /// # Panics
    ///
    /// When there is none within the patience of [`crate::wait`].
    pub fn read_status_line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match self.stream.read(&mut byte) {
                Ok(1) if byte == *b"\n" => break,
                Ok(1) => line.extend_from_slice(&byte),
                other => panic!("waited for a status line, have {line:?}: {other:?}"),
            }
        }
        String::from_utf8_lossy(&line).trim().to_owned()
    }
}
