//! Which service extension authenticates, and the keys of middlewares.

use confmap::{Capability, Presence, Section};

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
    /// Reads the section `auth` of a client.
    #[must_use]
    pub fn read_for_client(section: &mut Section<'_>) -> Option<Self> {
        Self::read_with(section, Capability::ClientAuthenticator, |_| Vec::new())
    }

    /// Reads the section `auth` of a gRPC server.
    #[must_use]
    pub fn read_for_grpc_server(section: &mut Section<'_>) -> Option<Self> {
        Self::read_with(section, Capability::ServerAuthenticator, |_| Vec::new())
    }

    /// Reads the section `auth` of an HTTP server, which knows `request_params` as well.
    #[must_use]
    pub fn read_for_http_server(section: &mut Section<'_>) -> Option<Self> {
        Self::read_with(section, Capability::ServerAuthenticator, |auth| {
            auth.get("request_params").unwrap_or_default()
        })
    }

    fn read_with(
        section: &mut Section<'_>,
        wanted: Capability,
        request_params: impl FnOnce(&mut Section<'_>) -> Vec<String>,
    ) -> Option<Self> {
        let mut auth = section.optional_section("auth", Presence::None)?;
        let authenticator = auth.required::<String>("authenticator");
        if let (Some(_), Some(item)) = (&authenticator, auth.item("authenticator")) {
            item.names_extension(wanted);
        }
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

#[cfg(test)]
mod tests {
    use confmap::{Capability, Diagnostics, Node, Section};

    use super::Auth;

    #[test]
    fn authenticator_is_noted_with_what_it_is_needed_for() {
        type Read = fn(&mut Section<'_>) -> Option<Auth>;
        let node = Node::from_yaml("file:c.yaml", "auth: {authenticator: oidc}").expect("YAML");
        let reads: [(Read, Capability); 3] = [
            (Auth::read_for_client, Capability::ClientAuthenticator),
            (Auth::read_for_grpc_server, Capability::ServerAuthenticator),
            (Auth::read_for_http_server, Capability::ServerAuthenticator),
        ];
        for (read, wanted) in reads {
            let diagnostics = Diagnostics::new();
            let mut section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
            assert_eq!(read(&mut section).map(|auth| auth.authenticator).as_deref(), Some("oidc"));
            section.finish();
            let noted = diagnostics.extension_references();
            let [reference] = noted.as_slice() else { panic!("{noted:?}") };
            assert_eq!(reference.path.to_string(), "exporters.otlp.auth.authenticator");
            assert_eq!((reference.node.text(), reference.wanted), (Some("oidc"), wanted));
        }
    }
}
