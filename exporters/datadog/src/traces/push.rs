//! Spans, translated and sent.

use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use exporter_helper::{EncodeError, Encoded, EncodedRequest, OFFLOAD_BYTES, Push, SendError, Sent};
use http::{HeaderName, HeaderValue};
use lambda::Function;
use pdata::Payload;
use pipeline::Client;
use telemetry::names::DropReason;

use super::{Body, LeftOut, Options, Workbench, translate};
use crate::exporter::Shared;
use crate::intake::{Endpoint, IntakeRequest};

/// The languages of the SDKs that spans are from, which DataDog/datadog-agent `pkg/trace/writer/trace.go` tells the intake.
const REPORTED_LANGUAGES: HeaderName = HeaderName::from_static("x-datadog-reported-languages");

/// The push of spans.
pub(crate) struct Traces {
    shared: Arc<Shared>,
    id: String,
    function: Option<Arc<Function>>,
    /// Made with the first payload, since the host is asked for then.
    options: OnceLock<Options>,
    workbenches: Workbenches,
}

/// Workbenches that nobody uses at the moment. There are as many as there are processors, so that no more payloads than that are
/// translated at once, each of which takes the memory of a body.
struct Workbenches {
    idle: Mutex<Vec<Workbench>>,
    returned: Condvar,
}

/// From which size on a payload is translated on a thread that may wait for a workbench.
const WAITS_FROM_BYTES: usize = OFFLOAD_BYTES;

impl Workbenches {
    fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let idle = (0..processors).map(|_| Workbench::default()).collect();
        Self { idle: Mutex::new(idle), returned: Condvar::new() }
    }

    /// A workbench for a payload of this size. A small one gets one at once: the runtime's own thread asks for it.
    fn take(&self, payload_bytes: usize) -> Workbench {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match idle.pop() {
                Some(workbench) => return workbench,
                None if payload_bytes <= WAITS_FROM_BYTES => return Workbench::default(),
                None => idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn put_back(&self, workbench: Workbench) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(workbench);
        self.returned.notify_one();
    }
}

impl Traces {
    /// Sends by the client of a section, for the exporter of this id, beside this function if there is one.
    pub(crate) fn new(shared: Arc<Shared>, id: String, function: Option<Arc<Function>>) -> Self {
        let (options, workbenches) = (OnceLock::new(), Workbenches::new());
        Self { shared, id, function, options, workbenches }
    }

    fn options(&self) -> &Options {
        self.options.get_or_init(|| Options {
            function: self.function.clone(),
            ..Options::of(&self.shared.config.traces, self.shared.fallback_host())
        })
    }

    /// A request of a body, whose memory is left to the next.
    fn request(&self, body: &mut Body) -> Result<EncodedRequest<IntakeRequest>, EncodeError> {
        let (spans, bytes) = (body.spans, body.bytes.len());
        let raw = Bytes::from(std::mem::take(&mut body.bytes));
        let request = self.shared.intake.request(Endpoint::Traces, raw.clone());
        body.bytes = Vec::from(raw);
        let mut request = request?;
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
        let mut workbench = self.workbenches.take(payload.encoded_len());
        let mut requests = Vec::new();
        let seal = |body: &mut Body| requests.push(self.request(body));
        let left_out = translate(payload, self.options(), &mut workbench, now_nanos(), seal);
        self.workbenches.put_back(workbench);
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
        Ok(Encoded { requests: requests.into_iter().collect::<Result<_, _>>()?, unsendable })
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
