//! Cross-origin resource sharing, as rs/cors does it for the Collector.
//!
//! The Collector allows credentials, and the simple methods: GET, HEAD and POST.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN,
    VARY,
};
use http::{Method, Request, Response, StatusCode};

use crate::ReplyBody;

/// Methods a page may use; the Collector has no setting for more.
const METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];

/// Headers a page may always send.
const ALWAYS_ALLOWED: [&str; 4] = ["accept", "accept-language", "content-language", "content-type"];

/// What is allowed besides when nothing is listed.
const ALLOWED_BY_DEFAULT: &str = "x-requested-with";

/// Which browser pages may send.
#[derive(Debug)]
pub struct Cors {
    origins: Vec<String>,
    headers: Vec<String>,
    any_header: bool,
    exposed: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
}

impl Cors {
    /// Takes settings up.
    #[must_use]
    pub fn new(config: &config::Cors) -> Self {
        let lower = |texts: &[String]| texts.iter().map(|text| text.to_lowercase()).collect();
        let mut headers: Vec<String> = lower(&config.allowed_headers);
        let any_header = headers.iter().any(|header| header == "*");
        if headers.is_empty() {
            headers.push(ALLOWED_BY_DEFAULT.to_owned());
        }
        let exposed = config.exposed_headers.join(", ");
        Self {
            origins: lower(&config.allowed_origins),
            headers,
            any_header,
            exposed: HeaderValue::from_str(&exposed).ok().filter(|exposed| !exposed.is_empty()),
            max_age: (config.max_age_secs > 0).then(|| HeaderValue::from(config.max_age_secs)),
        }
    }

    /// The page that asks, if it may send.
    pub(super) fn origin<B>(&self, request: &Request<B>) -> Option<HeaderValue> {
        let origin = request.headers().get(ORIGIN)?;
        let text = origin.to_str().ok()?.to_lowercase();
        self.origins.iter().any(|allowed| matches(allowed, &text)).then(|| origin.clone())
    }

    /// The answer to a browser's question before the request itself. Nothing for other requests.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<ReplyBody>> {
        let asked = request.headers();
        let method = asked.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        if request.method() != Method::OPTIONS {
            return None;
        }
        let mut response = Response::new(ReplyBody::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_name(ACCESS_CONTROL_REQUEST_METHOD));
        headers.append(VARY, HeaderValue::from_name(ACCESS_CONTROL_REQUEST_HEADERS));
        let is_simple = METHODS.iter().any(|known| known.as_str().as_bytes() == method.as_bytes());
        let wanted = asked.get(ACCESS_CONTROL_REQUEST_HEADERS);
        // Without these headers the browser does not send the request.
        if self.origin(request).is_some() && is_simple && self.allows(wanted) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
            if let Some(wanted) = wanted {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
            }
            if let Some(max_age) = &self.max_age {
                headers.insert(ACCESS_CONTROL_MAX_AGE, max_age.clone());
            }
        }
        Some(response)
    }

    /// Tells the browser that the page of `origin`, if there is one, may see this answer.
    pub(super) fn mark(&self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        headers.append(VARY, HeaderValue::from_name(ORIGIN));
        let Some(origin) = origin else {
            return;
        };
        let any = self.origins.iter().any(|allowed| allowed == "*");
        let origin = if any { HeaderValue::from_static("*") } else { origin };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        if let Some(exposed) = &self.exposed {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }

    /// Whether every header of a list may be sent.
    fn allows(&self, wanted: Option<&HeaderValue>) -> bool {
        let Some(wanted) = wanted.filter(|_| !self.any_header) else {
            return true;
        };
        let Ok(wanted) = wanted.to_str() else {
            return false;
        };
        wanted.split(',').map(|name| name.trim().to_ascii_lowercase()).all(|name| {
            name.is_empty()
                || ALWAYS_ALLOWED.contains(&name.as_str())
                || self.headers.contains(&name)
        })
    }
}

/// Whether an origin is the allowed one, of which a `*` stands for any text. Both lower case.
fn matches(allowed: &str, origin: &str) -> bool {
    match allowed.split_once('*') {
        None => allowed == origin,
        Some((start, end)) => {
            origin.len() >= start.len() + end.len()
                && origin.starts_with(start)
                && origin.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Request};

    use super::{Cors, matches};

    fn cors(allowed_origins: &[&str], allowed_headers: &[&str]) -> Cors {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Cors::new(&config::Cors {
            allowed_origins: owned(allowed_origins),
            allowed_headers: owned(allowed_headers),
            exposed_headers: vec!["x-seen".to_owned()],
            max_age_secs: 600,
        })
    }

    fn preflight(cors: &Cors, origin: &str, method: &str, headers: &str) -> HeaderMap {
        let request = Request::options("/v1/traces")
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers)
            .body(())
            .unwrap();
        let mut response = cors.preflight(&request).unwrap();
        assert_eq!(response.status(), 204);
        cors.mark(cors.origin(&request), response.headers_mut());
        response.into_parts().0.headers
    }

    #[test]
    fn origin_may_have_a_part_left_open() {
        assert!(matches("*", "https://a.example"));
        assert!(matches("https://*.example", "https://a.b.example"));
        assert!(!matches("https://*.example", "http://a.example"));
        assert!(!matches("https://a*a", "https://a"), "the ends must not overlap");
        assert!(!matches("https://a.example", "https://a.example.evil"));
    }

    #[test]
    fn page_is_allowed_its_method_and_headers() {
        let cors = cors(&["https://app.example"], &["X-Trace"]);
        let headers = preflight(&cors, "https://APP.example", "POST", "content-type, x-trace");
        assert_eq!(headers["access-control-allow-origin"], "https://APP.example");
        assert_eq!(headers["access-control-allow-methods"], "POST");
        assert_eq!(headers["access-control-allow-headers"], "content-type, x-trace");
        assert_eq!(headers["access-control-max-age"], "600");
        assert_eq!(headers["access-control-allow-credentials"], "true");
        assert_eq!(headers["access-control-expose-headers"], "x-seen");
        assert!(headers.get_all("vary").iter().any(|name| name == "origin"));
    }

    #[test]
    fn what_is_not_allowed_is_left_out() {
        let cors = cors(&["https://app.example"], &["x-trace"]);
        let allowed = |origin, method, wanted| {
            let headers = preflight(&cors, origin, method, wanted);
            headers.contains_key("access-control-allow-methods")
        };
        assert!(allowed("https://app.example", "POST", ""));
        assert!(!allowed("https://evil.example", "POST", ""));
        assert!(!allowed("https://app.example", "DELETE", ""));
        assert!(!allowed("https://app.example", "POST", "x-other"));
    }

    #[test]
    fn lists_have_their_defaults_and_their_wildcards() {
        let wants =
            |cors: &Cors, name: &'static str| cors.allows(Some(&HeaderValue::from_static(name)));
        let default = cors(&["*"], &[]);
        assert!(wants(&default, "X-Requested-With") && !wants(&default, "x-other"));
        assert!(wants(&cors(&["*"], &["*"]), "x-other"));
        let headers = preflight(&default, "https://any.example", "POST", "");
        assert_eq!(headers["access-control-allow-origin"], "*");
    }

    #[test]
    fn request_that_only_looks_like_a_question_goes_on() {
        let cors = cors(&["*"], &[]);
        let options = Request::options("/").header("origin", "https://a").body(()).unwrap();
        assert!(cors.preflight(&options).is_none());
        let post = Request::post("/").header("access-control-request-method", "POST");
        assert!(cors.preflight(&post.body(()).unwrap()).is_none());
    }
}
