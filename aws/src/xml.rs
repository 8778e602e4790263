//! The XML that AWS's query protocol answers with: elements and their text.
//!
//! No attributes, no namespaces, no document types: nothing of these has a meaning in those answers.

use std::fmt;

/// An element. Its text may be a secret, so there is no `Debug` that shows it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// Deeper than this is no answer of AWS.
const DEPTH_MAX: usize = 32;
/// Nor is one with more elements.
const ELEMENTS_MAX: usize = 100_000;

/// Why a text is no XML that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no XML")]
pub struct NotXml;

impl Element {
    /// The document's element.
    ///
    /// # Errors
    /// When the text is no XML, or ends early.
    pub fn parse(text: &str) -> Result<Self, NotXml> {
        Parser { rest: text, elements: 0 }.document()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text, without that of its children.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// The first element at the end of a path of names.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        self.children.iter().find(|child| child.name == *first)?.find(rest)
    }

    /// The text at the end of a path of names, if there is any.
    #[must_use]
    pub fn text_of(&self, path: &[&str]) -> Option<&str> {
        self.find(path).map(Self::text).filter(|text| !text.is_empty())
    }

    /// Its children of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element").field("name", &self.name).finish_non_exhaustive()
    }
}

struct Parser<'a> {
    rest: &'a str,
    elements: usize,
}

impl<'a> Parser<'a> {
    fn document(mut self) -> Result<Element, NotXml> {
        let mut open: Vec<Element> = Vec::new();
        loop {
            let (text, tag) = self.next_tag()?;
            match open.last_mut() {
                Some(element) => unescape(text, &mut element.text)?,
                None if text.trim().is_empty() => {}
                None => return Err(NotXml),
            }
            let closed = match tag {
                Tag::Nothing => continue,
                Tag::Literal(text) => {
                    open.last_mut().ok_or(NotXml)?.text.push_str(text);
                    continue;
                }
                Tag::Open { name, is_empty } => {
                    self.elements += 1;
                    if open.len() >= DEPTH_MAX || self.elements > ELEMENTS_MAX {
                        return Err(NotXml);
                    }
                    open.push(Element { name: name.to_owned(), ..Element::default() });
                    if !is_empty {
                        continue;
                    }
                    open.pop()
                }
                Tag::Close(name) => open.pop().filter(|element| element.name == name),
            };
            let closed = closed.ok_or(NotXml)?;
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                // What may follow the document is comments.
                None => return Ok(closed),
            }
        }
    }

    /// The text up to the next tag, and that.
    fn next_tag(&mut self) -> Result<(&'a str, Tag<'a>), NotXml> {
        let (text, rest) = self.rest.split_once('<').ok_or(NotXml)?;
        let (tag, rest) = if let Some(rest) = rest.strip_prefix("!--") {
            (Tag::Nothing, rest.split_once("-->").ok_or(NotXml)?.1)
        } else if let Some(rest) = rest.strip_prefix("![CDATA[") {
            let (literal, rest) = rest.split_once("]]>").ok_or(NotXml)?;
            (Tag::Literal(literal), rest)
        } else if let Some(rest) = rest.strip_prefix('?') {
            (Tag::Nothing, rest.split_once("?>").ok_or(NotXml)?.1)
        } else {
            let end = end_of_tag(rest).ok_or(NotXml)?;
            let (tag, rest) = rest.split_at_checked(end).ok_or(NotXml)?;
            (Tag::parse(tag)?, rest.strip_prefix('>').ok_or(NotXml)?)
        };
        self.rest = rest;
        Ok((text, tag))
    }
}

enum Tag<'a> {
    Open {
        name: &'a str,
        is_empty: bool,
    },
    Close(&'a str),
    /// CDATA.
    Literal(&'a str),
    /// A comment or a declaration.
    Nothing,
}

impl<'a> Tag<'a> {
    /// What stands between `<` and `>`.
    fn parse(tag: &'a str) -> Result<Self, NotXml> {
        let name = |text: &'a str| {
            let name = text.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
            let is_name = !name.is_empty() && !name.contains(['!', '"', '\'', '/', '&', '=']);
            is_name.then_some(name).ok_or(NotXml)
        };
        if let Some(closed) = tag.strip_prefix('/') {
            return Ok(Self::Close(name(closed)?));
        }
        match tag.strip_suffix('/') {
            Some(empty) => Ok(Self::Open { name: name(empty)?, is_empty: true }),
            None => Ok(Self::Open { name: name(tag)?, is_empty: false }),
        }
    }
}

/// Where the `>` of a tag is, which may stand in its attributes, too.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            ('>', None) => return Some(at),
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// Appends a text with its entities resolved.
fn unescape(text: &str, out: &mut String) -> Result<(), NotXml> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';').ok_or(NotXml)?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => number(entity).ok_or(NotXml)?,
        });
        rest = after;
    }
    out.push_str(rest);
    Ok(())
}

fn number(entity: &str) -> Option<char> {
    let digits = entity.strip_prefix('#')?;
    let number = match digits.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    char::from_u32(number.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_names() {
        let text = r#"<?xml version="1.0"?>
            <!-- an <answer> -->
            <Answer xmlns="https://example.com/a>b/">
              <Result><Key>a&amp;b&#x21;&#33;</Key><Empty/><Key>second</Key></Result>
              <Text><![CDATA[1 < 2 &amp;]]> &lt;</Text>
            </Answer><!-- end -->"#;
        let answer = Element::parse(text).unwrap();
        assert_eq!(answer.name(), "Answer");
        assert_eq!(answer.text_of(&["Result", "Key"]), Some("a&b!!"));
        assert_eq!(answer.text_of(&["Text"]), Some("1 < 2 &amp; <"));
        let result = answer.find(&["Result"]).unwrap();
        assert_eq!(result.all("Key").map(Element::text).collect::<Vec<_>>(), ["a&b!!", "second"]);
        assert!(result.find(&["Empty"]).is_some() && result.text_of(&["Empty"]).is_none());
        assert!(answer.find(&["Key"]).is_none(), "only children are looked through");
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        for text in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a><b></a></b>",
            "</a>",
            "text<a/>",
            "<a>&unknown;</a>",
            "<a>&amp</a>",
            "<a>&#xD800;</a>",
            "<a b=\">",
            "<a><!-- </a>",
            "<!DOCTYPE a><a/>",
            "<>x</>",
            "{\"json\": true}",
        ] {
            assert_eq!(Element::parse(text), Err(NotXml), "{text}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        assert!(Element::parse(&format!("{}{}", "<a>".repeat(32), "</a>".repeat(32))).is_ok());
        let deep = format!("{}{}", "<a>".repeat(33), "</a>".repeat(33));
        assert_eq!(Element::parse(&deep), Err(NotXml));
        let wide = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        assert_eq!(Element::parse(&wide), Err(NotXml));
    }

    #[test]
    fn texts_are_not_shown() {
        let element = Element::parse("<Key>secret</Key>").unwrap();
        assert!(!format!("{element:?}").contains("secret"));
    }
}
