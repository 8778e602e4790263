//! gRPC servers and clients.

mod client;
mod server;

pub use client::{Balancer, ClientKeepalive, GrpcClient, GrpcTarget};
pub use server::{GrpcServer, ServerKeepalive};

use confmap::Section;

/// Buffers grow as needed here, so their sizes are checked as upstream does and warned about.
fn ignore_buffer_sizes(section: &mut Section<'_>) {
    for key in ["read_buffer_size", "write_buffer_size"] {
        match section.get::<i64>(key) {
            Some(size) if size < 0 => {
                section.error(key, format!("invalid {key} value: {size}"));
            }
            _ => section.ignored(key, "buffers grow as needed"),
        }
    }
}
