//! Clients: a small pool of connections, opened when first needed.
//!
//! Own code rather than hyper-util's client, for three reasons: each connection's task has an
//! owner that joins it; the first bytes of a wrong peer are kept, so that an error can say what it
//! speaks; and a request goes again over a new connection only if not a byte of it was sent.

mod connect;
mod environment;
mod first_bytes;
mod grpc;
mod http;
mod pool;
mod proxy;
mod rope;
mod target;
mod url;

pub use environment::Environment;
pub use grpc::{CallError, GrpcClient, GrpcMessage, GrpcReply};
pub use http::{Body, HttpClient, Reply, Request, retry_after};
pub use target::UrlError;
pub use url::{is_absolute, shown, without_user};

use std::sync::Arc;

use crate::auth::ClientAuth;

/// What a client needs besides its settings.
#[derive(Clone, Default)]
pub struct ClientOptions {
    /// Proxies and authorities by environment variables.
    pub environment: Environment,
    /// The user agent, unless the settings have one.
    pub user_agent: Option<String>,
    /// Who signs requests.
    pub auth: Option<Arc<dyn ClientAuth>>,
    /// How much of an answer's body is read; 64 KiB if not set.
    pub response_bytes_max: Option<usize>,
}

/// How much of an answer is read unless a client is told otherwise, as upstream.
const RESPONSE_BYTES_MAX: usize = 64 * 1024;
