//! What everything that talks to AWS shares: credentials, region, endpoints, signatures.
//!
//! A [`Session`] is made of what a config says and of the process's [`Environment`]. Making one reads nothing: the first request that has to
//! be signed looks for credentials and for the region, and later ones take what was found until shortly before it expires.
//!
//! - Credentials come from the first of these that is set up: the environment, a web identity, the shared files and their profiles, the
//!   container's endpoint (ECS task role, EKS pod identity), the instance's metadata; a role may be assumed with them. This is the order of
//!   AWS's own SDKs (aws/aws-sdk-go-v2 `config/resolve_credentials.go`, and botocore's `credentials.py`).
//! - The region comes from the config, the environment, the profile, the ECS task's metadata, the instance's metadata.
//! - [`Signer`] is a [`net::auth::ClientAuth`], so a client of `net` signs each attempt over the bytes that go out.
//! - [`metadata`] asks an ECS task and an EC2 instance about themselves; [`query`] calls the services that still speak AWS's query protocol,
//!   [`json`] speaks that of the services that take JSON.
//!
//! Invariants: secrets have no `Debug` and stand in no error and no log line; every call has a deadline and every answer a cap; a
//! metadata endpoint is never asked through a proxy; whether something has expired is judged by the wall clock, as a sandbox may
//! have been frozen meanwhile.

pub mod json;
pub mod metadata;
pub mod query;
pub mod xml;

mod cache;
mod chain;
mod credentials;
mod endpoint;
mod environment;
mod error;
mod files;
mod profile;
mod region;
mod session;
mod settings;
mod sign;
mod sts;
#[cfg(test)]
mod testing;

pub use credentials::Credentials;
pub use endpoint::{Service, Variant, endpoint};
pub use environment::Environment;
pub use error::{Cause, Error, Looked, Source};
pub use region::Region;
pub use session::Session;
pub use settings::{Role, Settings};
pub use sign::{Scope, Signer, body_sha256, sign};
