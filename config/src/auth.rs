//! Which service extension authenticates, and the keys of middlewares.

use confmap::{Presence, Section};

/// The authenticator of a client or a server, as upstream's `configauth.Config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Id of the service extension, such as `sigv4auth` or `basicauth/server`.
    pub authenticator: String,
    /// Query parameters that count as headers for an HTTP server's authenticator; they win over
    /// headers of the same name.
    pub request_params: Vec<String>,
}

impl Auth {
    /// Reads the section `auth` of a client or a gRPC server.
    #[must_use]
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        Self::read_with(section, |_| Vec::new())
    }

    /// Reads the section `auth` of an HTTP server, which knows `request_params` as well.
    #[must_use]
    pub fn read_for_http_server(section: &mut Section<'_>) -> Option<Self> {
        Self::read_with(section, |auth| auth.get("request_params").unwrap_or_default())
    }

    fn read_with(
        section: &mut Section<'_>,
        request_params: impl FnOnce(&mut Section<'_>) -> Vec<String>,
    ) -> Option<Self> {
        let mut auth = section.optional_section("auth", Presence::None)?;
        let authenticator = auth.required::<String>("authenticator");
        let request_params = request_params(&mut auth);
        auth.finish();
        Some(Self { authenticator: authenticator?, request_params })
    }
}

/// Refuses `middlewares`: there is no extension of this kind here. An empty list is fine.
pub fn refuse_middlewares(section: &mut Section<'_>) {
    if let Some(first) = section.list("middlewares").first() {
        first.error("middlewares are not supported: there is no middleware extension");
    }
}
