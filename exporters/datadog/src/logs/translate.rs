//! OTLP log records as Datadog's log items: a JSON list of flat objects.
//!
//! The rules are those of DataDog/datadog-agent `pkg/opentelemetry-mapping-go/otlp/logs/transform.go` 0.83 and
//! `comp/otelcol/otlp/components/exporter/logsagentexporter`; differences stand in the README. Pure: no clock, no network.

mod entries;
mod group;
mod ids;
mod record;
mod roles;
mod value;

use lambda::Function;
use pdata::Payload;

use group::Group;
use record::Scratch;

/// The most records in a request (Datadog's `logs` API).
pub const RECORDS_MAX: usize = 1000;
/// The longest body before compression (Datadog's `logs` API).
pub const BODY_BYTES_MAX: usize = 5_000_000;
/// The longest item; the intake cuts longer ones (Datadog's `logs` API).
pub const RECORD_BYTES_MAX: usize = 1_000_000;

/// What a translation depends on besides the payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// The host of records that name none; empty for none.
    pub fallback_host: &'a str,
    /// The function that this process is beside, if it is.
    pub function: Option<&'a Function>,
}

/// What became of a payload's first records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Records in the body.
    pub written: usize,
    /// 1 when no body has room for the first one; none is written then.
    pub too_large: usize,
}

impl Done {
    /// Records that need not be looked at again.
    pub fn consumed(&self) -> usize {
        self.written + self.too_large
    }
}

/// Writes as many of a payload's records as a body has room for. The body is whole JSON.
pub fn translate(payload: &Payload, options: &Options<'_>, out: &mut Vec<u8>) -> Done {
    let mut done = Done::default();
    let mut scratch = Scratch::default();
    out.reserve(payload.encoded_len().saturating_mul(2).min(BODY_BYTES_MAX));
    out.push(b'[');
    'records: for resource_logs in payload.resource_logs() {
        let mut group = Group::of(&resource_logs.resource.attributes, options);
        for scope_logs in resource_logs.scope_logs {
            group.enter(&scope_logs.scope);
            for record in scope_logs.log_records {
                let start = out.len();
                if done.written > 0 {
                    out.push(b',');
                }
                let fits = record::put(out, &record, &group, &mut scratch);
                if fits && out.len() < BODY_BYTES_MAX {
                    done.written += 1;
                    continue;
                }
                out.truncate(start);
                // Alone in its part, so that the part of a request holds nothing but what is sent.
                done.too_large = usize::from(done.written == 0);
                break 'records;
            }
        }
    }
    out.push(b']');
    done
}

#[cfg(test)]
mod tests;
