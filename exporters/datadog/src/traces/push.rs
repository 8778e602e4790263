//! Spans, translated and sent.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use exporter_helper::{EncodeError, Encoded, EncodedRequest, Push, SendError, Sent};
use http::{HeaderName, HeaderValue};
use pdata::Payload;
use pipeline::Client;
use telemetry::names::DropReason;

use datadog::obfuscate::Obfuscator;

use super::{Body, LeftOut, Options, translate};
use crate::exporter::Shared;
use crate::intake::{Endpoint, IntakeRequest};

/// The languages of the SDKs that spans are from, which DataDog/datadog-agent `pkg/trace/writer/trace.go` tells the intake.
const REPORTED_LANGUAGES: HeaderName = HeaderName::from_static("x-datadog-reported-languages");

/// The push of spans.
pub(crate) struct Traces {
    shared: Arc<Shared>,
    id: String,
    /// Made with the first payload, since the host is asked for then.
    options: OnceLock<Options>,
    obfuscators: Obfuscators,
}

/// Obfuscators that nobody uses at the moment: several payloads can be encoded at once.
#[derive(Default)]
struct Obfuscators(Mutex<Vec<Obfuscator>>);

/// More are not kept.
const OBFUSCATORS_MAX: usize = 2;

impl Obfuscators {
    fn take(&self) -> Obfuscator {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_default()
    }

    fn put_back(&self, obfuscator: Obfuscator) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < OBFUSCATORS_MAX {
            idle.push(obfuscator);
        }
    }
}

impl Traces {
    /// Sends by the client of a section, for the exporter of this id.
    pub(crate) fn new(shared: Arc<Shared>, id: String) -> Self {
        Self { shared, id, options: OnceLock::new(), obfuscators: Obfuscators::default() }
    }

    fn options(&self) -> &Options {
        self.options
            .get_or_init(|| Options::of(&self.shared.config.traces, self.shared.fallback_host()))
    }

    fn request(&self, body: Body) -> Result<EncodedRequest<IntakeRequest>, EncodeError> {
        let (spans, bytes) = (body.spans, body.bytes.len());
        let mut request = self.shared.intake.request(Endpoint::Traces, body.bytes)?;
        if let Ok(languages) = HeaderValue::from_str(&body.languages.join("|"))
            && !languages.is_empty()
        {
            request.headers.insert(REPORTED_LANGUAGES, languages);
        }
        let memory_bytes = request.body.len();
        Ok(EncodedRequest::new(request, spans, bytes).memory_bytes(memory_bytes))
    }

    fn warn_of(&self, left_out: LeftOut) {
        tracing::warn!(
            "otelcol.component.id" = %self.id,
            "otelcol.component.kind" = "exporter",
            dropped_items = left_out.without_ids + left_out.too_large,
            without_ids = left_out.without_ids,
            too_large = left_out.too_large,
            "Datadog takes no trace with a span whose trace id ends in eight zero bytes or whose span id is zero, and no span of more than \
             3.2 MB. Dropping them."
        );
    }
}

impl Push for Traces {
    type Request = IntakeRequest;

    fn encode(&self, payload: &Payload, _: &Client) -> Result<Encoded<IntakeRequest>, EncodeError> {
        let mut obfuscator = self.obfuscators.take();
        let translation = translate(payload, self.options(), &mut obfuscator, now_nanos());
        self.obfuscators.put_back(obfuscator);
        let left_out = translation.left_out;
        if left_out.without_ids + left_out.too_large > 0 {
            self.warn_of(left_out);
        }
        let unsendable = [
            (DropReason::Untranslatable, left_out.without_ids),
            (DropReason::Filtered, left_out.ignored),
            (DropReason::Sampled, left_out.not_kept),
            (DropReason::TooLarge, left_out.too_large),
        ];
        let unsendable = unsendable.into_iter().filter(|(_, spans)| *spans > 0).collect();
        let requests = translation.bodies.into_iter().map(|body| self.request(body));
        Ok(Encoded { requests: requests.collect::<Result<_, _>>()?, unsendable })
    }

    async fn send(&self, request: &IntakeRequest) -> Result<Sent, SendError> {
        self.shared.intake.send(request).await
    }
}

/// Nanoseconds since 1970.
pub(crate) fn now_nanos() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}
