//! Users and passwords in URLs, and URLs for messages.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// Takes user and password out of a URL: what is left is for request targets and `Host`, and the two, percent-decoded, are an `Authorization`
/// that is marked as sensitive. As Go's `net/http`, a user without a password has an empty one.
#[must_use]
pub fn without_user(uri: &Uri) -> (Cow<'_, Uri>, Option<HeaderValue>) {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let Some((user, host)) = authority.rsplit_once('@') else {
        return (Cow::Borrowed(uri), None);
    };
    let mut parts = uri.clone().into_parts();
    parts.authority = host.parse().ok();
    // What has no host is none without its user, either, and is refused as such.
    let left = Uri::from_parts(parts).unwrap_or_default();
    (Cow::Owned(left), basic_authorization(user))
}

/// Whether requests can go to a URL: of http or https, with a host, and with a port that is one. A password in which a slash is not escaped
/// looks like a port, and what is before it like the host.
#[must_use]
pub fn is_absolute(uri: &Uri) -> bool {
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
        return false;
    };
    let text = authority.as_str();
    let place = text.rsplit_once('@').map_or(text, |(_, place)| place);
    let port = place.strip_prefix(authority.host()).unwrap_or_default();
    is_web && (matches!(port, "" | ":") || authority.port_u16().is_some())
}

/// A URL for messages: without user and query, which may be secrets.
#[must_use]
pub fn shown(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", uri.scheme_str().unwrap_or_default(), uri.path())
}

fn basic_authorization(user: &str) -> Option<HeaderValue> {
    let mut pair: Vec<u8> = percent_decode_str(user).collect();
    if !user.contains(':') {
        pair.push(b':');
    }
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::Uri;

    use super::{is_absolute, shown, without_user};

    #[test]
    fn user_and_password_become_basic_authentication() {
        for (url, left, pair) in [
            ("http://h:1/a?b=c", "http://h:1/a?b=c", None),
            ("https://u:p@h/a", "https://h/a", Some("u:p")),
            ("https://u:p%40%3a%zz%4@h/", "https://h/", Some("u:p@:%zz%4")),
            ("https://u%3Av@h/", "https://h/", Some("u:v:")),
            ("https://token@h/", "https://h/", Some("token:")),
            ("https://u:@h/", "https://h/", Some("u:")),
            ("http://u:p@[::1]:80/x", "http://[::1]:80/x", Some("u:p")),
        ] {
            let uri: Uri = url.parse().unwrap();
            let (uri, authorization) = without_user(&uri);
            assert_eq!(uri.to_string(), left, "{url}");
            assert!(!format!("{authorization:?}").contains("Basic"), "it must not be logged");
            let found = authorization.map(|value| {
                let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
                String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
            });
            assert_eq!(found.as_deref(), pair, "{url}");
        }
    }

    #[test]
    fn url_for_messages_has_neither_user_nor_query() {
        let uri = Uri::from_static("https://u:p@h:8443/a?key=secret");
        assert_eq!(shown(&uri), "https://h:8443/a");
        assert_eq!(shown(&Uri::from_static("http://[::1]/")), "http://[::1]/");
    }

    #[test]
    fn url_is_absolute_with_a_host_and_a_port_that_is_one() {
        for url in
            ["http://h", "https://u:p@h:1/a?b", "http://[::1]:80/", "http://[::1]", "http://h:/"]
        {
            assert!(is_absolute(&url.parse().unwrap()), "{url}");
        }
        for url in ["h:1", "/a", "ftp://h", "http://user:pa/ss@h", "http://h:65536", "http://:80"] {
            assert!(!url.parse().is_ok_and(|url| is_absolute(&url)), "{url}");
        }
    }
}
