//! HTTP servers and clients.

mod client;
mod server;

pub use client::HttpClient;
pub use server::{Cors, DEFAULT_MAX_BODY_BYTES, HttpServer};
