//! Statistics as protobuf: what a connector hands to an exporter.

use std::borrow::Cow;

use pdata::wire::{self, Field, FieldValue, Reader};

use super::payload::{ClientGroupedStats, ClientStatsBucket, ClientStatsPayload, StatsPayload};

/// How many times the bytes that it came in a decoded payload may take. A sound one takes about three times as many; without a cap an
/// empty group of two bytes would take a hundred and seventy times.
const EXPANSION_MAX: usize = 16;
/// What any payload may take.
const EXPANSION_FLOOR: usize = 64 << 10;

/// Why bytes are not a `StatsPayload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStats {
    /// They break off, or hold something that is no field.
    #[error("the statistics are not protobuf")]
    Malformed,
    /// A known field has another type.
    #[error("field {0} of the statistics is of another type")]
    WireType(u32),
    /// A text is not UTF-8.
    #[error("field {0} of the statistics is not UTF-8")]
    NotUtf8(u32),
    /// They hold nearly nothing, a great many times.
    #[error("the statistics would take more than {EXPANSION_MAX} times their size in memory")]
    TooMany,
}

impl<'a> StatsPayload<'a> {
    /// Reads protobuf. Unknown fields are passed over, as are groups.
    ///
    /// # Errors
    /// When the bytes are something else, or made to exhaust memory.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, NotStats> {
        let left = bytes.len().saturating_mul(EXPANSION_MAX).saturating_add(EXPANSION_FLOOR);
        Decoder { left }.payload(bytes)
    }

    /// The protobuf form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(&mut out, 1, self.agent_hostname);
        put_text(&mut out, 2, self.agent_env);
        for client in &self.stats {
            wire::put_message(&mut out, 3, |out| put_client(out, client));
        }
        put_text(&mut out, 4, self.agent_version);
        put_number(&mut out, 5, self.client_computed.into());
        put_number(&mut out, 6, self.split_payload.into());
        out
    }
}

fn put_client(out: &mut Vec<u8>, client: &ClientStatsPayload<'_>) {
    put_text(out, 1, client.hostname);
    put_text(out, 2, client.env);
    put_text(out, 3, client.version);
    for bucket in &client.stats {
        wire::put_message(out, 4, |out| put_bucket(out, bucket));
    }
    put_text(out, 5, client.lang);
    put_text(out, 6, client.tracer_version);
    put_text(out, 7, client.runtime_id);
    put_number(out, 8, client.sequence);
    put_text(out, 9, client.agent_aggregation);
    put_text(out, 10, client.service);
    put_text(out, 11, client.container_id);
    client.tags.iter().for_each(|tag| wire::put_len(out, 12, tag.as_bytes()));
    put_text(out, 13, client.git_commit_sha);
    put_text(out, 14, client.image_tag);
    put_number(out, 15, client.process_tags_hash);
    put_text(out, 16, client.process_tags);
}

fn put_bucket(out: &mut Vec<u8>, bucket: &ClientStatsBucket<'_>) {
    put_number(out, 1, bucket.start);
    put_number(out, 2, bucket.duration);
    for group in &bucket.stats {
        wire::put_message(out, 3, |out| put_group(out, group));
    }
    put_number(out, 4, bucket.agent_time_shift as u64);
}

fn put_group(out: &mut Vec<u8>, group: &ClientGroupedStats<'_>) {
    put_text(out, 1, group.service);
    put_text(out, 2, group.name);
    put_text(out, 3, group.resource);
    put_number(out, 4, group.http_status_code.into());
    put_text(out, 5, group.span_type);
    put_text(out, 6, group.db_type);
    put_number(out, 7, group.hits);
    put_number(out, 8, group.errors);
    put_number(out, 9, group.duration);
    put_bytes(out, 10, &group.ok_summary);
    put_bytes(out, 11, &group.error_summary);
    put_number(out, 12, group.synthetics.into());
    put_number(out, 13, group.top_level_hits);
    put_text(out, 15, group.span_kind);
    put_list(out, 16, &group.peer_tags);
    put_number(out, 17, group.is_trace_root.into());
    put_text(out, 18, &group.grpc_status_code);
    put_text(out, 19, group.http_method);
    put_text(out, 20, group.http_endpoint);
    put_text(out, 21, group.service_source);
    put_list(out, 22, &group.span_derived_primary_tags);
    put_list(out, 23, &group.additional_metric_tags);
}

fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    put_bytes(out, number, text.as_bytes());
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        wire::put_len(out, number, bytes);
    }
}

fn put_number(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        wire::put_uint(out, number, value);
    }
}

fn put_list(out: &mut Vec<u8>, number: u32, list: &[Cow<'_, str>]) {
    list.iter().for_each(|text| wire::put_len(out, number, text.as_bytes()));
}

/// Reads messages, as long as there is memory left for what they become.
struct Decoder {
    left: usize,
}

impl Decoder {
    fn payload<'a>(&mut self, body: &'a [u8]) -> Result<StatsPayload<'a>, NotStats> {
        let mut payload = StatsPayload::default();
        for field in fields(body) {
            let field = field?;
            match field.number {
                1 => payload.agent_hostname = text(&field)?,
                2 => payload.agent_env = text(&field)?,
                3 => {
                    let client = self.client(message(&field)?)?;
                    self.push(&mut payload.stats, client)?;
                }
                4 => payload.agent_version = text(&field)?,
                5 => payload.client_computed = number(&field)? != 0,
                6 => payload.split_payload = number(&field)? != 0,
                _ => {}
            }
        }
        Ok(payload)
    }

    fn client<'a>(&mut self, body: &'a [u8]) -> Result<ClientStatsPayload<'a>, NotStats> {
        let mut client = ClientStatsPayload::default();
        for field in fields(body) {
            let field = field?;
            match field.number {
                1 => client.hostname = text(&field)?,
                2 => client.env = text(&field)?,
                3 => client.version = text(&field)?,
                4 => {
                    let bucket = self.bucket(message(&field)?)?;
                    self.push(&mut client.stats, bucket)?;
                }
                5 => client.lang = text(&field)?,
                6 => client.tracer_version = text(&field)?,
                7 => client.runtime_id = text(&field)?,
                8 => client.sequence = number(&field)?,
                9 => client.agent_aggregation = text(&field)?,
                10 => client.service = text(&field)?,
                11 => client.container_id = text(&field)?,
                12 => self.push(&mut client.tags, text(&field)?)?,
                13 => client.git_commit_sha = text(&field)?,
                14 => client.image_tag = text(&field)?,
                15 => client.process_tags_hash = number(&field)?,
                16 => client.process_tags = text(&field)?,
                _ => {}
            }
        }
        Ok(client)
    }

    fn bucket<'a>(&mut self, body: &'a [u8]) -> Result<ClientStatsBucket<'a>, NotStats> {
        let mut bucket = ClientStatsBucket::default();
        for field in fields(body) {
            let field = field?;
            match field.number {
                1 => bucket.start = number(&field)?,
                2 => bucket.duration = number(&field)?,
                3 => {
                    let group = self.group(message(&field)?)?;
                    self.push(&mut bucket.stats, group)?;
                }
                4 => bucket.agent_time_shift = number(&field)? as i64,
                _ => {}
            }
        }
        Ok(bucket)
    }

    fn group<'a>(&mut self, body: &'a [u8]) -> Result<ClientGroupedStats<'a>, NotStats> {
        let mut group = ClientGroupedStats::default();
        for field in fields(body) {
            let field = field?;
            match field.number {
                1 => group.service = text(&field)?,
                2 => group.name = text(&field)?,
                3 => group.resource = text(&field)?,
                4 => group.http_status_code = number(&field)? as u32,
                5 => group.span_type = text(&field)?,
                6 => group.db_type = text(&field)?,
                7 => group.hits = number(&field)?,
                8 => group.errors = number(&field)?,
                9 => group.duration = number(&field)?,
                10 => group.ok_summary = message(&field)?.into(),
                11 => group.error_summary = message(&field)?.into(),
                12 => group.synthetics = number(&field)? != 0,
                13 => group.top_level_hits = number(&field)?,
                15 => group.span_kind = text(&field)?,
                16 => self.push(&mut group.peer_tags, text(&field)?.into())?,
                17 => group.is_trace_root = number(&field)? as u32,
                18 => group.grpc_status_code = text(&field)?.into(),
                19 => group.http_method = text(&field)?,
                20 => group.http_endpoint = text(&field)?,
                21 => group.service_source = text(&field)?,
                22 => self.push(&mut group.span_derived_primary_tags, text(&field)?.into())?,
                23 => self.push(&mut group.additional_metric_tags, text(&field)?.into())?,
                _ => {}
            }
        }
        Ok(group)
    }

    /// Adds to a list while there is memory left for it.
    fn push<T>(&mut self, list: &mut Vec<T>, item: T) -> Result<(), NotStats> {
        // A list that grows doubles its room.
        let grown =
            if list.len() == list.capacity() { list.len().max(4) * size_of::<T>() } else { 0 };
        self.left = self.left.checked_sub(grown).ok_or(NotStats::TooMany)?;
        list.push(item);
        Ok(())
    }
}

/// The fields of a message; an error where it breaks off.
fn fields(body: &[u8]) -> impl Iterator<Item = Result<Field<'_>, NotStats>> {
    let mut reader = Reader::new(body);
    std::iter::from_fn(move || {
        if reader.is_empty() {
            return None;
        }
        let field = reader.field();
        if field.is_none() {
            reader = Reader::new(&[]);
        }
        Some(field.ok_or(NotStats::Malformed))
    })
}

fn message<'a>(field: &Field<'a>) -> Result<&'a [u8], NotStats> {
    match field.value {
        FieldValue::Len(body) => Ok(body),
        _ => Err(NotStats::WireType(field.number)),
    }
}

fn text<'a>(field: &Field<'a>) -> Result<&'a str, NotStats> {
    std::str::from_utf8(message(field)?).map_err(|_bad| NotStats::NotUtf8(field.number))
}

fn number(field: &Field<'_>) -> Result<u64, NotStats> {
    match field.value {
        FieldValue::Varint(value) => Ok(value),
        _ => Err(NotStats::WireType(field.number)),
    }
}

#[cfg(test)]
mod tests;
