//! The `sigv4auth` service extension: signs requests of HTTP exporters for AWS, signature version 4.
//!
//! Credentials and region are looked for when the first request is signed, so nothing here holds up the start. What is signed is what
//! goes out, compressed, and each attempt anew.

mod auth;
mod config;
mod scope;

use std::sync::Arc;

use confmap::Capability;
use pipeline::{BuildExtension, Extension, ExtensionFactory};

/// The factory.
pub static FACTORY: ExtensionFactory = ExtensionFactory {
    component_type: "sigv4auth",
    aliases: &[],
    provides: &[Capability::ClientAuthenticator],
    probe: None,
    parse: |section| -> BuildExtension {
        let config = config::Config::read(section);
        Box::new(move |_context| {
            let session = aws::Session::new(config.settings.clone(), aws::Environment::process());
            let extension = auth::SigV4Auth::new(&config, session);
            Ok(Arc::new(extension) as Arc<dyn Extension>)
        })
    },
};
