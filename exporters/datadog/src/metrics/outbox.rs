//! Requests in the making: entries are appended to a body until the backend would not take more of them.
//!
//! A body is closed and compressed as soon as it is full, so that no more than one of each kind stands uncompressed in memory, however much
//! a payload grows by its translation.

use std::sync::{Arc, Mutex};

use ::config::CompressionLevel;
use bytes::Bytes;
use exporter_helper::EncodedRequest;
use http::HeaderMap;
use net::client::Body;
use pdata::wire::{FieldValue, Reader};
use telemetry::names::DropReason;

use super::state::{State, Undo, Undone};
use super::wire::SKETCHES_END;
use crate::intake::{Endpoint, IntakeRequest};

/// What the backend takes in one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes before compression.
    pub(crate) raw: usize,
    /// Bytes after it.
    pub(crate) compressed: usize,
    /// Entries.
    pub(crate) entries: usize,
}

/// Limits of `/api/v2/series`: `serializer_max_series_*` of DataDog/datadog-agent `comp/otelcol/otlp/components/exporter/serializerexporter/serializer.go`.
const SERIES: Limits = Limits { raw: 5_242_880, compressed: 512_000, entries: 10_000 };
/// Limits of `/api/beta/sketches`: `serializer_max_*` there.
const SKETCHES: Limits = Limits { raw: 4 << 20, compressed: 5 << 19, entries: usize::MAX };

/// A request, and what has to be known to cut it in two and to take it back.
#[derive(Debug)]
pub(crate) struct MetricsRequest {
    /// The request.
    pub(crate) intake: IntakeRequest,
    limits: Limits,
    /// For each entry whether a data point is counted with it. A point that became several entries is counted with one of them.
    carries: Vec<bool>,
    undo: Mutex<Undo>,
}

/// The requests of a payload.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Arc<Mutex<State>>,
    /// Series to come.
    pub(crate) series: Pack,
    /// Sketches to come.
    pub(crate) sketches: Pack,
    requests: Vec<EncodedRequest<MetricsRequest>>,
    lost: Vec<(DropReason, usize)>,
}

/// Entries for one endpoint.
#[derive(Debug)]
pub(crate) struct Pack {
    endpoint: Endpoint,
    limits: Limits,
    /// The entries, one behind the other.
    pub(crate) body: Vec<u8>,
    carries: Vec<bool>,
    sent: Vec<Undone>,
}

/// Whether a data point is counted with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    /// This one.
    Point,
    /// Another one, or none.
    Nothing,
}

impl Outbox {
    /// Requests that give back to `state` what does not arrive.
    pub(crate) fn new(state: Arc<Mutex<State>>) -> Self {
        let series = Pack::new(Endpoint::Series, SERIES);
        let sketches = Pack::new(Endpoint::Sketches, SKETCHES);
        Self { state, series, sketches, requests: Vec::new(), lost: Vec::new() }
    }

    /// The same with other limits.
    #[cfg(test)]
    pub(crate) fn with_limits(state: Arc<Mutex<State>>, limits: Limits) -> Self {
        let mut outbox = Self::new(state);
        (outbox.series.limits, outbox.sketches.limits) = (limits, limits);
        outbox
    }

    /// Ends the entry that has been appended to the body of `pack` since it had `start` bytes.
    pub(crate) fn end_entry(
        &mut self,
        pack: fn(&mut Self) -> &mut Pack,
        start: usize,
        carries: Carries,
        sent: Option<Undone>,
    ) {
        let this = pack(self);
        let is_full = this.body.len() + this.end_len() > this.limits.raw
            || this.carries.len() >= this.limits.entries;
        if is_full && start > 0 {
            let next = this.body.split_off(start);
            self.close(pack);
            pack(self).body = next;
        }
        let this = pack(self);
        if let Some(sent) = sent {
            this.sent.push(Undone { entry: this.carries.len(), ..sent });
        }
        this.carries.push(carries == Carries::Point);
        if this.body.len() + this.end_len() > this.limits.raw {
            // It is the only one then.
            this.body = Vec::new();
            self.lose_entries(pack, DropReason::TooLarge);
        }
    }

    /// Counts points that are not sent.
    pub(crate) fn lose(&mut self, reason: DropReason, points: usize) {
        if points == 0 {
            return;
        }
        match self.lost.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, sum)) => *sum += points,
            None => self.lost.push((reason, points)),
        }
    }

    /// Adds the requests that another data point became, which is counted with the first.
    pub(crate) fn add_all(&mut self, requests: Vec<IntakeRequest>) {
        for (nth, intake) in requests.into_iter().enumerate() {
            let limits = Limits { raw: usize::MAX, compressed: usize::MAX, entries: 1 };
            let undo = Undo::new(self.state.clone(), Vec::new()).into();
            let carries = vec![nth == 0];
            self.requests.push(MetricsRequest { intake, limits, carries, undo }.encoded());
        }
    }

    /// Closes what is open. All requests in order, and what is not sent.
    pub(crate) fn finish(
        mut self,
    ) -> (Vec<EncodedRequest<MetricsRequest>>, Vec<(DropReason, usize)>) {
        self.close(|outbox| &mut outbox.series);
        self.close(|outbox| &mut outbox.sketches);
        (self.requests, self.lost)
    }

    /// Makes requests of a body.
    fn close(&mut self, pack: fn(&mut Self) -> &mut Pack) {
        let this = pack(self);
        if this.carries.is_empty() {
            return;
        }
        let (endpoint, limits) = (this.endpoint, this.limits);
        let raw = Bytes::from(std::mem::take(&mut this.body));
        let (carries, sent) = (std::mem::take(&mut this.carries), std::mem::take(&mut this.sent));
        let undo = Undo::new(self.state.clone(), sent);
        let mut sealed = Vec::new();
        let entries = Entries { endpoint, limits, raw, carries, undo };
        let too_large = entries.seal(&mut sealed);
        self.requests.append(&mut sealed);
        self.lose(DropReason::TooLarge, too_large);
    }

    /// Drops what is in a pack.
    fn lose_entries(&mut self, pack: fn(&mut Self) -> &mut Pack, reason: DropReason) {
        let this = pack(self);
        let carries = std::mem::take(&mut this.carries);
        let sent = std::mem::take(&mut this.sent);
        drop(Undo::new(self.state.clone(), sent));
        self.lose(reason, carries.into_iter().filter(|carries| *carries).count());
    }
}

impl Pack {
    fn new(endpoint: Endpoint, limits: Limits) -> Self {
        Self { endpoint, limits, body: Vec::new(), carries: Vec::new(), sent: Vec::new() }
    }

    fn end_len(&self) -> usize {
        if self.endpoint == Endpoint::Sketches { SKETCHES_END.len() } else { 0 }
    }
}

impl MetricsRequest {
    /// The backend has it.
    pub(crate) fn settle(&self) {
        self.undo.lock().unwrap_or_else(std::sync::PoisonError::into_inner).settle();
    }

    /// Cuts it in two, each with some of its points, or gives it back.
    pub(crate) fn halve(self) -> Vec<EncodedRequest<Self>> {
        let points = self.carries.iter().filter(|carries| **carries).count();
        let whole = match self.intake.body.decompressed(self.limits.raw) {
            Ok(raw) if points > 1 => raw,
            // Nothing but this process has written it.
            _ => return vec![self.encoded()],
        };
        let Self { intake, limits, carries, undo } = self;
        let undo = undo.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let entries = Entries { endpoint: intake.endpoint, limits, raw: whole, carries, undo };
        let mut halves = Vec::new();
        for half in entries.cut() {
            let _fits = half.seal(&mut halves);
        }
        halves
    }

    fn encoded(self) -> EncodedRequest<Self> {
        let points = self.carries.iter().filter(|carries| **carries).count();
        let bytes = self.intake.body.len();
        let undo = self.undo.lock().unwrap_or_else(std::sync::PoisonError::into_inner).bytes();
        let memory_bytes = bytes + self.carries.capacity() + undo;
        EncodedRequest::new(self, points, bytes).memory_bytes(memory_bytes)
    }
}

/// Entries of one request, not compressed.
struct Entries {
    endpoint: Endpoint,
    limits: Limits,
    raw: Bytes,
    carries: Vec<bool>,
    undo: Undo,
}

impl Entries {
    /// Makes one request of them, or several where the backend would not take one. Returns the points that are too large by themselves.
    fn seal(self, requests: &mut Vec<EncodedRequest<MetricsRequest>>) -> usize {
        let Self { endpoint, limits, raw, carries, undo } = self;
        let mut pieces = vec![raw.clone()];
        if endpoint == Endpoint::Sketches {
            pieces.push(Bytes::from_static(SKETCHES_END));
        }
        let (codec, level) = (endpoint.compression(), CompressionLevel::Measured);
        let body = Body::compressed(pieces.clone(), codec, level);
        let body = body.unwrap_or_else(|_no_codec_fails_on_memory| Body::plain(pieces));
        if body.len() <= limits.compressed {
            let intake = IntakeRequest { endpoint, body, headers: HeaderMap::new() };
            requests.push(MetricsRequest { intake, limits, carries, undo: undo.into() }.encoded());
            return 0;
        }
        if carries.len() < 2 {
            return carries.into_iter().filter(|carries| *carries).count();
        }
        let whole = Self { endpoint, limits, raw, carries, undo };
        whole.cut().into_iter().map(|half| half.seal(requests)).sum()
    }

    /// Cuts them in two, with as many points on either side as can be.
    fn cut(self) -> [Self; 2] {
        let Self { endpoint, limits, mut raw, mut carries, mut undo } = self;
        let points = carries.iter().filter(|carries| **carries).count();
        let mut seen = 0;
        let at = match points {
            0 | 1 => carries.len() / 2,
            _ => {
                let middle = carries.iter().position(|carries| {
                    seen += usize::from(*carries);
                    seen > points / 2
                });
                middle.unwrap_or(carries.len() / 2)
            }
        };
        let entries = Reader::new(&raw)
            .filter(|field| field.number == 1 && matches!(field.value, FieldValue::Len(_)));
        let mut ends = entries.scan(0, |end, field| {
            *end += field.raw.len();
            Some(*end)
        });
        let (first, last) = (at.checked_sub(1).and_then(|at| ends.nth(at)), ends.last());
        let (first, last) = (first.unwrap_or(0), last.unwrap_or(raw.len()));
        raw.truncate(last);
        let rest = Self {
            endpoint,
            limits,
            raw: raw.split_off(first),
            carries: carries.split_off(at),
            undo: undo.split_off(at),
        };
        [Self { endpoint, limits, raw, carries, undo }, rest]
    }
}

#[cfg(test)]
mod tests;
