//! Zipkin v2 JSON (openzipkin/zipkin-api `zipkin2-api.yaml`), span by span, without a tree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::error::Category;

use super::groups::Groups;
use super::span::{self, Annotation, Endpoint, Kind, ZipkinSpan};
use super::{DecodeError, Fault};

/// Reads all spans of a body into groups.
pub(super) fn read(body: &[u8], groups: &mut Groups) -> Result<(), DecodeError> {
    let mut fault = None;
    let mut json = serde_json::Deserializer::from_slice(body);
    let list = Spans { groups, fault: &mut fault };
    let read = json.deserialize_option(list).and_then(|()| json.end());
    read.map_err(|error| {
        if let Some((index, fault)) = fault {
            return DecodeError::Span { index, fault };
        }
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            Category::Data => DecodeError::Type { line, column },
            Category::Eof => DecodeError::CutOff,
            Category::Syntax | Category::Io => DecodeError::Syntax { line, column },
        }
    })
}

/// The list; `null` is an empty one. What is wrong with a span is left in `fault`, since serde's errors are text.
struct Spans<'g> {
    groups: &'g mut Groups,
    fault: &'g mut Option<(usize, Fault)>,
}

impl<'de> Visitor<'de> for Spans<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of spans")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut span = ZipkinSpan::default();
        let mut index = 0;
        loop {
            span.reset();
            let mut fault = None;
            let read = list.next_element_seed(Span { span: &mut span, fault: &mut fault });
            let added = match (&read, fault) {
                (_, Some(fault)) => Err(fault),
                (Ok(Some(Present(true))), None) => self.groups.add(&span),
                _ => Ok(()),
            };
            if let Err(fault) = added {
                *self.fault = Some((index, fault));
                return Err(de::Error::custom("a span is wrong"));
            }
            if read?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }
}

/// Whether a span stood there, and not `null`.
struct Present(bool);

/// Reads one span.
struct Span<'s, 'de> {
    span: &'s mut ZipkinSpan<'de>,
    fault: &'s mut Option<Fault>,
}

impl Span<'_, '_> {
    /// Takes a value, or notes what is wrong with it.
    fn check<T, E: de::Error>(&mut self, value: Result<T, Fault>) -> Result<T, E> {
        value.map_err(|fault| {
            *self.fault = Some(fault);
            E::custom(fault)
        })
    }
}

impl<'de> DeserializeSeed<'de> for Span<'_, 'de> {
    type Value = Present;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Present, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Span<'_, 'de> {
    type Value = Present;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span")
    }

    fn visit_none<E>(self) -> Result<Present, E> {
        Ok(Present(false))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Present, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Present, A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            match key.as_ref() {
                b"traceId" => {
                    let Optional(Text(id)) = map.next_value()?;
                    self.span.trace_id = self.check(span::hex(&id).ok_or(Fault::TraceId))?;
                }
                b"id" => {
                    let Optional(Text(id)) = map.next_value()?;
                    self.span.id = self.check(span::hex(&id).ok_or(Fault::Id))?;
                }
                b"parentId" => {
                    let Optional(Text(id)) = map.next_value()?;
                    self.span.parent_id = Some(self.check(span::hex(&id).ok_or(Fault::ParentId))?);
                }
                b"name" => self.span.name = map.next_value::<Optional<Text<'de>>>()?.0.0,
                b"kind" => {
                    let Optional(Text(kind)) = map.next_value()?;
                    self.span.kind = match kind.as_ref() {
                        b"CLIENT" => Kind::Client,
                        b"SERVER" => Kind::Server,
                        b"PRODUCER" => Kind::Producer,
                        b"CONSUMER" => Kind::Consumer,
                        _ => Kind::Unspecified,
                    };
                }
                b"timestamp" => {
                    let Optional(time) = map.next_value::<Optional<Micros>>()?;
                    let nanos = self.check(time.nanos())?;
                    self.span.start = Some(nanos).filter(|&nanos| nanos > 0);
                }
                b"duration" => {
                    let Optional(time) = map.next_value::<Optional<Micros>>()?;
                    self.span.duration = self.check(time.nanos())?;
                }
                b"localEndpoint" => {
                    self.span.local = map.next_value::<Optional<Endpoint<'de>>>()?.0;
                }
                b"remoteEndpoint" => {
                    self.span.remote = map.next_value::<Optional<Endpoint<'de>>>()?.0;
                }
                b"annotations" => {
                    let mut fault = None;
                    let annotations = &mut self.span.annotations;
                    let read = map.next_value_seed(Annotations { annotations, fault: &mut fault });
                    self.check(fault.map_or(Ok(()), Err))?;
                    read?;
                }
                b"tags" => map.next_value_seed(Tags(&mut self.span.tags))?,
                _ => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        let checked = self.span.check();
        self.check(checked)?;
        Ok(Present(true))
    }
}

/// A string, as it stands: invalid UTF-8 and lone surrogates are repaired later.
#[derive(Default)]
struct Text<'a>(Cow<'a, [u8]>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(bytes.to_vec())))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// A value whose default stands for `null`.
struct Optional<T>(T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| Self(value.unwrap_or_default()))
    }
}

/// Microseconds. JavaScript's clocks make fractions of them.
#[derive(Clone, Copy)]
enum Micros {
    Whole(u64),
    Fractional(f64),
    Negative,
}

impl Default for Micros {
    fn default() -> Self {
        Self::Whole(0)
    }
}

impl Micros {
    fn nanos(self) -> Result<u64, Fault> {
        match self {
            Micros::Whole(micros) => span::nanos(micros),
            Micros::Fractional(micros) if (0.0..1.8e16).contains(&micros) => {
                Ok((micros * 1000.0).round() as u64)
            }
            Micros::Fractional(_) | Micros::Negative => Err(Fault::Time),
        }
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Micros;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("microseconds")
            }

            fn visit_u64<E>(self, value: u64) -> Result<Micros, E> {
                Ok(Micros::Whole(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Micros, E> {
                Ok(u64::try_from(value).map_or(Micros::Negative, Micros::Whole))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Micros, E> {
                Ok(Micros::Fractional(value))
            }
        }
        deserializer.deserialize_u64(Number)
    }
}

impl<'de> Deserialize<'de> for Endpoint<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Endpoint<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an endpoint")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut endpoint = Endpoint::default();
                while let Some(Text(key)) = map.next_key()? {
                    match key.as_ref() {
                        b"serviceName" => {
                            endpoint.service_name = map.next_value::<Optional<Text<'de>>>()?.0.0;
                        }
                        b"ipv4" => endpoint.ipv4 = map.next_value::<Optional<Text<'de>>>()?.0.0,
                        b"ipv6" => endpoint.ipv6 = map.next_value::<Optional<Text<'de>>>()?.0.0,
                        b"port" => endpoint.port = map.next_value::<Optional<i64>>()?.0,
                        _ => map.next_value::<IgnoredAny>().map(drop)?,
                    }
                }
                Ok(endpoint)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Reads `{"key": "value"}`.
struct Tags<'s, 'de>(&'s mut Vec<(span::Text<'de>, span::Text<'de>)>);

impl<'de> DeserializeSeed<'de> for Tags<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Tags<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tags")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Text(key), Optional(Text(value)))) = map.next_entry()? {
            self.0.push((key, value));
        }
        Ok(())
    }
}

/// Reads `[{"timestamp": 1, "value": ""}]`.
struct Annotations<'s, 'de> {
    annotations: &'s mut Vec<Annotation<'de>>,
    fault: &'s mut Option<Fault>,
}

impl<'de> DeserializeSeed<'de> for Annotations<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Annotations<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("annotations")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(RawAnnotation { micros, value }) = list.next_element()? {
            let time = micros.nanos().and_then(|time| match time {
                0 => Err(Fault::Annotation),
                time => Ok(time),
            });
            let time = time.map_err(|fault| {
                *self.fault = Some(fault);
                de::Error::custom(fault)
            })?;
            self.annotations.push(Annotation { time, value });
        }
        Ok(())
    }
}

struct RawAnnotation<'a> {
    micros: Micros,
    value: span::Text<'a>,
}

impl<'de> Deserialize<'de> for RawAnnotation<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = RawAnnotation<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an annotation")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut annotation =
                    RawAnnotation { micros: Micros::default(), value: Cow::default() };
                while let Some(Text(key)) = map.next_key()? {
                    match key.as_ref() {
                        b"timestamp" => {
                            annotation.micros = map.next_value::<Optional<Micros>>()?.0;
                        }
                        b"value" => {
                            annotation.value = map.next_value::<Optional<Text<'de>>>()?.0.0;
                        }
                        _ => map.next_value::<IgnoredAny>().map(drop)?,
                    }
                }
                Ok(annotation)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
