//! From YAML text to a [`Node`] tree, in the dialect of Go's yaml.v3.
//!
//! `saphyr-parser` finds the structure and its places; the meaning of scalars, merge keys,
//! duplicate keys, aliases and the Collector's `::` keys is decided here. Only the first document
//! of a stream is read, as upstream. Everything is bounded by [`crate::limits`], in particular
//! what aliases multiply.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use self::{
    error::{Problem, YamlError, number},
    nesting::nest_keys,
};
use crate::{
    Entry, Map, Node, Origin, Source, Value,
    limits::{MAX_DEPTH, MAX_DOCUMENT_BYTES},
    map::MapBuilder,
    weight::{Budget, depth},
};

pub(crate) mod error;
mod nesting;
mod scalar;

pub(crate) use scalar::plain;

/// The divider of a key that stands for nested keys.
const KEY_DELIMITER: &str = "::";

/// What a text holds.
pub(crate) struct Document {
    /// The first document; null if there is none.
    pub(crate) root: Node,
    /// Whether other documents follow, which nobody reads.
    pub(crate) has_more: bool,
}

/// How many bytes may be parsed again because of tabs behind colons.
const MAX_REPARSED_BYTES: usize = 64 * 1024 * 1024;

/// What the parser says of a tab between a key's colon and its value, which yaml.v3 takes.
const TAB_BEHIND_COLON: &str = "':' must be followed by a valid YAML whitespace";

/// Parses `text`, which is the text of `source`.
pub(crate) fn parse(source: &Arc<Source>, text: &str) -> Result<Document, YamlError> {
    parse_within(source, text, MAX_REPARSED_BYTES)
}

fn parse_within(
    source: &Arc<Source>,
    text: &str,
    max_reparsed_bytes: usize,
) -> Result<Document, YamlError> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(Problem::TooLarge.at_origin(&Origin::start(source.clone())));
    }
    let mut current = Cow::Borrowed(text);
    let mut reparsed = 0;
    loop {
        let error = match load(source, &current) {
            Ok(document) => return Ok(document),
            Err(LoadError::Yaml(error)) => return Err(error),
            Err(LoadError::Scan(error)) => error,
        };
        reparsed += current.len();
        let blanked = (error.info() == TAB_BEHIND_COLON && reparsed <= max_reparsed_bytes)
            .then(|| blank_tabs(&current, error.marker().index()))
            .flatten();
        match blanked {
            Some(blanked) => current = Cow::Owned(blanked),
            None => return Err(YamlError::from_scan(&error, text)),
        }
    }
}

/// Replaces the tabs before a character by blanks, so that every place stays what it is.
fn blank_tabs(text: &str, index: usize) -> Option<String> {
    let end = text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let before = text.get(..end)?;
    let start = before.trim_end_matches('\t').len();
    let mut out = String::with_capacity(text.len());
    out.push_str(before.get(..start)?);
    out.extend(std::iter::repeat_n(' ', end - start));
    out.push_str(text.get(end..)?);
    (start < end).then_some(out)
}

enum LoadError {
    Scan(ScanError),
    Yaml(YamlError),
}

impl From<YamlError> for LoadError {
    fn from(error: YamlError) -> Self {
        Self::Yaml(error)
    }
}

fn load(source: &Arc<Source>, text: &str) -> Result<Document, LoadError> {
    let mut loader = Loader {
        source,
        budget: Budget::new(),
        frames: Vec::new(),
        lists: 0,
        anchors: HashMap::new(),
        root: None,
    };
    let mut parser = Parser::new_from_str(text);
    let mut has_more = false;
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(LoadError::Scan)?;
        let end = event == Event::DocumentEnd;
        loader.on_event(event, span)?;
        if end {
            // What comes behind is not read, so it may be broken too.
            has_more = matches!(parser.peek(), Some(Ok((Event::DocumentStart(_), _))));
            break;
        }
    }
    let start = || Node::new(Value::Null, Origin::start(source.clone()));
    Ok(Document { root: loader.root.unwrap_or_else(start), has_more })
}

/// Builds the tree from the parser's events.
struct Loader<'s> {
    source: &'s Arc<Source>,
    budget: Budget,
    frames: Vec<Frame>,
    /// How many of the frames are lists: below one, keys with `::` are not split, as upstream.
    lists: usize,
    anchors: HashMap<usize, Anchor>,
    root: Option<Node>,
}

struct Anchor {
    node: Node,
    depth: usize,
}

/// A list or a map that is not complete yet.
struct Frame {
    origin: Origin,
    anchor: usize,
    /// How deep its elements stand, counting the levels that `::` makes.
    depth: usize,
    kind: FrameKind,
}

enum FrameKind {
    Seq(Vec<Node>),
    Map { map: MapBuilder, key: Option<Key>, merge: Option<(Origin, Node)> },
}

/// A key that waits for its value.
struct Key {
    text: Arc<str>,
    origin: Origin,
    merge: bool,
}

impl Loader<'_> {
    fn on_event(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.on_scalar(&text, style, tag.as_deref(), anchor, span)
            }
            Event::Alias(anchor) => self.on_alias(anchor, span),
            Event::SequenceStart(anchor, _) => {
                self.lists += 1;
                self.open(FrameKind::Seq(Vec::new()), anchor, span)
            }
            Event::MappingStart(anchor, _) => {
                let map = MapBuilder::default();
                self.open(FrameKind::Map { map, key: None, merge: None }, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn on_scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        anchor: usize,
        span: Span,
    ) -> Result<(), YamlError> {
        let origin = self.origin(span);
        self.budget.take(1, text.len()).map_err(|_| Problem::TooMuch.at_origin(&origin))?;
        if self.expects_key() {
            if anchor > 0 {
                let node = Node::new(Value::String(text.into()), origin.clone());
                self.anchors.insert(anchor, Anchor { node, depth: 0 });
            }
            let merge = scalar::is_merge(text, style, tag);
            return self.on_key(Key { text: text.into(), origin, merge });
        }
        let value =
            scalar::resolve(text, style, tag).map_err(|problem| problem.at_origin(&origin))?;
        self.add(Node::new(value, origin), anchor)
    }

    fn on_alias(&mut self, anchor: usize, span: Span) -> Result<(), YamlError> {
        let origin = self.origin(span);
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(Problem::RecursiveAlias.at_origin(&origin));
        };
        let too_deep = self.depth() + target.depth > MAX_DEPTH;
        let charged = self.budget.take_tree(&target.node);
        charged.map_err(|_| Problem::TooMuch.at_origin(&origin))?;
        let node = target.node.clone();
        if self.expects_key() {
            let Some(text) = node.as_str() else {
                return Err(Problem::ComplexKey.at_origin(&origin));
            };
            return self.on_key(Key { text: text.into(), origin, merge: false });
        }
        if too_deep {
            return Err(Problem::TooDeep.at_origin(&origin));
        }
        self.add(node, 0)
    }

    fn on_key(&mut self, new: Key) -> Result<(), YamlError> {
        let levels = if self.lists == 0 { new.text.matches(KEY_DELIMITER).count() } else { 0 };
        let Some(Frame { kind: FrameKind::Map { map, key, merge }, depth, .. }) =
            self.frames.last_mut()
        else {
            return Ok(());
        };
        if *depth + levels > MAX_DEPTH {
            return Err(Problem::TooDeep.at_origin(&new.origin));
        }
        let first = match merge {
            Some((origin, _)) if new.merge => Some(origin.line()),
            _ if new.merge => None,
            _ => map.get(&new.text).map(|entry| entry.key_origin.line()),
        };
        if let Some(first) = first {
            let duplicate = Problem::DuplicateKey { key: new.text.to_string(), first };
            return Err(duplicate.at_origin(&new.origin));
        }
        *key = Some(new);
        Ok(())
    }

    fn open(&mut self, kind: FrameKind, anchor: usize, span: Span) -> Result<(), YamlError> {
        let origin = self.origin(span);
        if self.expects_key() {
            return Err(Problem::ComplexKey.at_origin(&origin));
        }
        self.budget.take(1, 0).map_err(|_| Problem::TooMuch.at_origin(&origin))?;
        let depth = self.depth() + 1;
        if depth > MAX_DEPTH {
            return Err(Problem::TooDeep.at_origin(&origin));
        }
        self.frames.push(Frame { origin, anchor, depth, kind });
        Ok(())
    }

    fn close(&mut self) -> Result<(), YamlError> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.kind {
            FrameKind::Seq(items) => {
                self.lists -= 1;
                Value::Seq(items)
            }
            FrameKind::Map { map, merge, .. } => {
                let map = self.merge_into(map, merge)?;
                Value::Map(if self.lists == 0 { nest_keys(map)? } else { map })
            }
        };
        self.add(Node::new(value, frame.origin), frame.anchor)
    }

    /// Takes over the keys of a `<<` that the map does not have itself; of several maps, the first
    /// that has a key gives its value.
    fn merge_into(
        &self,
        mut map: MapBuilder,
        merge: Option<(Origin, Node)>,
    ) -> Result<Map, YamlError> {
        let Some((origin, node)) = merge else { return Ok(map.finish()) };
        let sources = match node.into_value() {
            Value::Seq(items) => items,
            value => vec![Node::new(value, origin.clone())],
        };
        for source in sources {
            let Value::Map(source) = source.into_value() else {
                return Err(Problem::Merge.at_origin(&origin));
            };
            for entry in source.into_entries() {
                if map.get(&entry.key).is_none() {
                    map.push(entry);
                }
            }
        }
        Ok(map.finish())
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if anchor > 0 {
            // Every anchor keeps a copy, and a copy costs as much as an alias of it.
            let charged = self.budget.take_tree(&node);
            charged.map_err(|_| Problem::TooMuch.at_origin(node.origin()))?;
            self.anchors.insert(anchor, Anchor { depth: depth(&node), node: node.clone() });
        }
        match self.frames.last_mut().map(|frame| &mut frame.kind) {
            None => self.root = Some(node),
            Some(FrameKind::Seq(items)) => items.push(node),
            Some(FrameKind::Map { map, key, merge }) => match key.take() {
                Some(key) if key.merge => *merge = Some((key.origin, node)),
                Some(key) => map.push(Entry { key: key.text, key_origin: key.origin, node }),
                None => {}
            },
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { kind: FrameKind::Map { key: None, .. }, .. }))
    }

    /// How deep a value stands that comes now.
    fn depth(&self) -> usize {
        let Some(frame) = self.frames.last() else { return 0 };
        let levels = match &frame.kind {
            FrameKind::Map { key: Some(key), .. } if self.lists == 0 => {
                key.text.matches(KEY_DELIMITER).count()
            }
            _ => 0,
        };
        frame.depth + levels
    }

    fn origin(&self, span: Span) -> Origin {
        let width = if span.start.line() == span.end.line() { span.len() } else { 1 };
        let (line, column) = (number(span.start.line()), number(span.start.col() + 1));
        Origin::new(self.source.clone(), line, column, number(width))
    }
}

#[cfg(test)]
mod tests;
