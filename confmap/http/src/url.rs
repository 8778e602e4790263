//! URLs: credentials, and where a redirect leads.

use http::{HeaderValue, Uri, uri::Scheme};
use net::client::without_user;

/// A URL to fetch, with its credentials taken out of it.
#[derive(Clone, Debug)]
pub(crate) struct Url {
    uri: Uri,
    authorization: Option<HeaderValue>,
}

impl Url {
    /// Reads an absolute `http` or `https` URL. A fragment is left out, since it is not sent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let is_web = uri.scheme() == Some(&Scheme::HTTP) || uri.scheme() == Some(&Scheme::HTTPS);
        uri.authority().filter(|authority| is_web && !authority.host().is_empty())?;
        let (uri, authorization) = without_user(&uri);
        Some(Self { uri: uri.into_owned(), authorization })
    }

    /// The URL without credentials.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The credentials as basic authentication.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        self.authorization.clone()
    }

    /// Where a `Location` leads from here: an absolute URL, or one relative to this. Never from
    /// `https` to `http`. Credentials go along only to the same host and port.
    pub(crate) fn join(&self, location: &str) -> Option<Self> {
        let (scheme, authority) = (self.uri.scheme_str()?, self.uri.authority()?.as_str());
        let path = self.uri.path();
        let folder = path.get(..=path.rfind('/')?)?;
        let absolute = if location.contains("://") {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else if location.starts_with('?') {
            format!("{scheme}://{authority}{path}{location}")
        } else {
            format!("{scheme}://{authority}{folder}{location}")
        };
        let mut next = Self::parse(&absolute)?;
        if scheme == "https" && next.uri.scheme_str() != Some("https") {
            return None;
        }
        if next.authorization.is_none() && next.uri.authority() == self.uri.authority() {
            next.authorization.clone_from(&self.authorization);
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::Url;

    /// The URL and the credentials.
    fn shown(url: &Url) -> (String, Option<String>) {
        let credentials = url.authorization().map(|value| {
            let text =
                value.to_str().expect("text").strip_prefix("Basic ").expect("basic").to_owned();
            String::from_utf8(BASE64_STANDARD.decode(text).expect("base64")).expect("UTF-8")
        });
        (url.uri().to_string(), credentials)
    }

    #[test]
    fn credentials_are_taken_out_of_a_url() {
        for (text, uri, credentials) in [
            ("http://h:1/a?b=c#d", "http://h:1/a?b=c", None),
            ("https://u:p@h/a", "https://h/a", Some("u:p")),
            ("https://u:p%40%3a%zz@h/", "https://h/", Some("u:p@:%zz")),
            ("https://token@h/", "https://h/", Some("token:")),
            ("https://u:@h/", "https://h/", Some("u:")),
            ("http://[::1]:80/x", "http://[::1]:80/x", None),
        ] {
            let url = Url::parse(text).expect("a URL");
            assert_eq!(shown(&url), (uri.to_owned(), credentials.map(str::to_owned)), "{text}");
        }
        for text in ["http:x", "http:/x", "http://", "ftp://h/x", "h/x", "http://h h/", ""] {
            assert!(Url::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_location_leads_from_the_url_it_was_answered_for() {
        let from = Url::parse("https://u:p@h:1/a/b?c").expect("a URL");
        let same = Some("u:p".to_owned());
        for (location, uri, credentials) in [
            ("https://h:1/x", "https://h:1/x", same.clone()),
            ("/x?y", "https://h:1/x?y", same.clone()),
            ("x", "https://h:1/a/x", same.clone()),
            ("?z", "https://h:1/a/b?z", same.clone()),
            ("//h:1/x", "https://h:1/x", same),
            ("https://h:2/x", "https://h:2/x", None),
            ("https://other:1/x", "https://other:1/x", None),
            ("https://v@other/x", "https://other/x", Some("v:".to_owned())),
        ] {
            let next = from.join(location).expect("somewhere");
            assert_eq!(shown(&next), (uri.to_owned(), credentials), "{location}");
        }
        for location in ["http://h:1/x", "ftp://h/x", "https://"] {
            assert!(from.join(location).is_none(), "{location}");
        }
        let plain = Url::parse("http://h").expect("a URL");
        assert_eq!(plain.join("x").map(|url| url.uri().to_string()).as_deref(), Some("http://h/x"));
        assert!(plain.join("https://h/x").is_some());
    }
}
