//! Headers a client or a server adds, whose values may be secrets.

use std::fmt;

use confmap::{Opaque, Section};

/// Names and values in the order written, each name once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Opaque)>);

impl Headers {
    /// Reads a map of name to value, or a list of `{name, value}`. A name or a value that can't
    /// stand in a header is refused, the value without being shown.
    #[must_use]
    pub fn read(section: &mut Section<'_>, key: &'static str, defaults: Self) -> Self {
        let Some(headers) = section.header_map(key) else {
            return defaults;
        };
        for (name, value, place) in &headers {
            let text = value.expose();
            if name.is_empty() || !name.bytes().all(is_token) {
                section.error(key, format!("invalid header name {name:?}"));
            } else if text.trim_end_matches(['\r', '\n']).bytes().all(is_field_content) {
                if text.ends_with(['\r', '\n']) {
                    place.error_with_help(
                        format!("the value of header {name:?} ends in a line break"),
                        "take it off the end of the file or variable that the value is read from: printf %s writes none, echo does",
                    );
                }
            } else {
                place.error(format!("the value of header {name:?} has a control character"));
            }
        }
        Self(headers.into_iter().map(|(name, value, _)| (name, value)).collect())
    }

    /// The value of a header; `name` in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Opaque> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Opaque)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Opaque)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, Opaque)>>(headers: I) -> Self {
        Self(headers.into_iter().collect())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 9110 section 5.5.
fn is_field_content(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Node, Section};

    use super::Headers;

    fn read(yaml: &str) -> (Headers, String) {
        let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
        let diagnostics = Diagnostics::new();
        let mut section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
        let headers = Headers::read(&mut section, "headers", Headers::default());
        section.finish();
        (headers, diagnostics.to_string())
    }

    #[test]
    fn map_and_list_read_the_same_and_print_no_value() {
        let (map, _) = read("headers: {X-Key: s3cret, b: c}");
        let (list, _) = read("headers: [{name: X-Key, value: s3cret}, {name: b, value: c}]");
        assert_eq!(map, list);
        assert_eq!(map.get("x-key").expect("a value").expose(), "s3cret");
        assert!(!format!("{map:?}").contains("s3cret"));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused_without_showing_the_value() {
        assert!(read("headers: {'a b': c}").1.contains("invalid header name \"a b\""));
        let (_, report) = read(r#"headers: {key: "s3cret\r\nX: y"}"#);
        assert!(report.contains("control character") && !report.contains("s3cret"), "{report}");
    }

    #[test]
    fn a_line_break_at_the_end_of_a_value_is_named_at_the_value_and_told_how_to_mend() {
        for (yaml, place) in [
            ("headers:\n  a: b\n  key: \"s3cret\\n\"", "exporters::otlp::headers::key: "),
            (
                "headers:\n- name: a\n- name: key\n  value: \"s3cret\\r\\n\"",
                "exporters::otlp::headers::1::value: ",
            ),
        ] {
            let (_, report) = read(yaml);
            let message = format!("{place}the value of header \"key\" ends in a line break");
            assert!(report.contains(&message) && report.contains("printf %s"), "{report}");
            assert!(report.contains(if yaml.contains('-') { ":4:" } else { ":3:" }), "{report}");
            assert!(!report.contains("s3cret"), "{report}");
        }
    }
}
