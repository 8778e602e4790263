//! A payload translated, its calls sent, and what the answers mean.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws::{Service, Session};
use bytes::Bytes;
use exporter_helper::{
    EncodeError, Encoded, EncodedRequest, Progress, Push, Reason, SendError, Sent, exporter,
};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use net::client::{Body, ClientOptions, Environment, HttpClient, Reply, Request};
use pdata::Payload;
use pipeline::{BuildError, Client, Context, Deadline, Exporter};
use telemetry::names::{self, DropReason, TrimReason, label};
use tokio::sync::{OnceCell, Semaphore};

use crate::answer::{Verdict, judge, nowhere, unreached};
use crate::config::Config;
use crate::delivery::Delivery;
use crate::translate::{Call, GROWTH, Options, Translation, Trimmed, translate};

/// Where X-Ray takes documents (`PutTraceSegments`).
const PATH: &str = "/TraceSegments";
/// The time of a call, which X-Ray's daemon sends, too.
const TIMESTAMP: HeaderName = HeaderName::from_static("x-amzn-xray-timestamp");
/// Payloads are split until their bodies can be expected to take no more together, which bounds what is held in memory at once.
const EXPECTED_BYTES: usize = 2 << 20;
/// The limit of an attempt that has none of its own.
const WITHOUT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Makes the exporter. Nothing is opened, read or looked for before the first payload.
pub(crate) fn build(
    config: &Arc<Config>,
    context: Context,
) -> Result<Arc<dyn Exporter>, BuildError> {
    build_in(config, context, aws::Environment::process())
}

/// The same, with an environment for AWS.
pub(crate) fn build_in(
    config: &Arc<Config>,
    context: Context,
    environment: aws::Environment,
) -> Result<Arc<dyn Exporter>, BuildError> {
    let push = XRay {
        session: Session::new(config.aws.clone(), environment),
        workers: Semaphore::new(config.num_workers),
        client: OnceLock::new(),
        url: OnceCell::new(),
        options: config.options.clone().beside(context.process.provided()),
        context: context.clone(),
        config: config.clone(),
    };
    exporter(context, config.helper.clone(), push)
}

pub(crate) struct XRay {
    config: Arc<Config>,
    options: Options,
    context: Context,
    session: Session,
    /// Bounds the calls at a time.
    workers: Semaphore,
    client: OnceLock<HttpClient>,
    /// Where documents go; known once the region is.
    url: OnceCell<Uri>,
}

/// A call, and how far it has come.
pub(crate) struct PutRequest {
    call: Call,
    delivery: Mutex<Delivery>,
}

impl PutRequest {
    fn delivery(&self) -> MutexGuard<'_, Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Push for XRay {
    type Request = PutRequest;

    fn encode(&self, payload: &Payload, _: &Client) -> Result<Encoded<PutRequest>, EncodeError> {
        let expected = payload.encoded_len().saturating_mul(GROWTH);
        if expected > EXPECTED_BYTES && payload.items() > 1 {
            return Err(EncodeError::TooLarge);
        }
        let translation = translate(payload, &self.options);
        self.tell(&translation);
        let unsendable = [
            (DropReason::Untranslatable, translation.without_ids),
            (DropReason::TooLarge, translation.too_large),
            (DropReason::Filtered, translation.known_to_xray),
        ];
        let unsendable = unsendable.into_iter().filter(|(_, spans)| *spans > 0).collect();
        let requests = translation.calls.into_iter().map(|call| {
            let (spans, bytes) = (call.spans, call.body.len());
            let delivery = Mutex::new(Delivery::of(&call));
            EncodedRequest::new(PutRequest { call, delivery }, spans, bytes)
        });
        Ok(Encoded { requests: requests.collect(), unsendable })
    }

    async fn warm(&self, deadline: Deadline) {
        // Where to is found out with the first request, which may ask somebody.
        if let Some(url) = self.url.get() {
            self.client().warm(url, deadline.instant()).await;
        }
    }

    async fn send(&self, request: &PutRequest) -> Result<Sent, SendError> {
        let url = self.url().await?;
        loop {
            let Some(documents) = request.delivery().next() else { break };
            let body = request.body_of(&documents);
            let verdict = match self.put(url, body).await {
                Ok(reply) => judge(url, &reply),
                Err(error) => Verdict::Failed(error),
            };
            if let Verdict::Expired(error) = verdict {
                self.session.forget_credentials();
                request.delivery().expired(&error)?;
                continue;
            }
            request.delivery().heard(&request.call, &documents, verdict)?;
        }
        request.delivery().outcome()
    }

    fn parallel(&self) -> usize {
        self.config.num_workers
    }

    fn progress(&self, request: &PutRequest) -> Progress {
        request.delivery().progress()
    }
}

impl PutRequest {
    /// The body of these documents, which are nearly always all.
    fn body_of(&self, documents: &[usize]) -> Body {
        if documents.len() == self.call.documents.len() {
            return Body::plain(vec![self.call.body.clone()]);
        }
        let documents = documents.iter().filter_map(|index| self.call.documents.get(*index));
        Body::plain(vec![Bytes::from(self.call.body_of(documents))])
    }
}

impl XRay {
    /// Makes one call.
    async fn put(&self, url: &Uri, body: Body) -> Result<Reply, SendError> {
        // Never closed.
        let _permit = self.workers.acquire().await;
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
        if let Ok(seconds) = HeaderValue::from_str(&seconds) {
            headers.insert(TIMESTAMP, seconds);
        }
        let request = Request { method: Method::POST, uri: url.clone(), headers, body };
        let deadline = Deadline::after(self.config.client.timeout.unwrap_or(WITHOUT_TIMEOUT));
        self.client().send(&request, deadline.instant()).await.map_err(|error| unreached(&error))
    }

    fn client(&self) -> &HttpClient {
        self.client.get_or_init(|| {
            let options = ClientOptions {
                environment: Environment::process(),
                user_agent: Some(user_agent()),
                auth: Some(self.session.signer(Service::XRAY)),
                ..ClientOptions::default()
            };
            HttpClient::new(&self.config.client, options)
        })
    }

    /// Where documents go: below the setting `endpoint`, or what the environment or the region say.
    async fn url(&self) -> Result<&Uri, SendError> {
        let find = || async {
            let base = match &self.config.endpoint {
                Some(endpoint) => endpoint.clone(),
                None => {
                    self.session.endpoint(Service::XRAY).await.map_err(|error| nowhere(&error))?
                }
            };
            let base = base.to_string();
            let base = base.trim_end_matches('/').trim_end_matches(PATH);
            let no_url = |_| SendError::peer(Reason::new("the endpoint is no URL"));
            format!("{base}{PATH}").parse().map_err(no_url)
        };
        self.url.get_or_try_init(find).await
    }

    /// Says and counts what could not be sent as it is.
    fn tell(&self, translation: &Translation) {
        let Translation { without_ids, too_large, trimmed, .. } = translation;
        if without_ids + too_large > 0 {
            tracing::warn!(
                "otelcol.component.id" = %self.context.id,
                "otelcol.component.kind" = "exporter",
                dropped_items = without_ids + too_large,
                without_ids,
                too_large,
                "X-Ray takes no span without ids, and no document of more than 64 kB. Dropping them."
            );
        }
        if trimmed.is_nothing() {
            return;
        }
        let Trimmed { metadata, frames, query, other, annotations } = *trimmed;
        tracing::warn!(
            "otelcol.component.id" = %self.context.id,
            "otelcol.component.kind" = "exporter",
            metadata,
            stack_frames = frames,
            query,
            annotations,
            other,
            "X-Ray takes no document of more than 64 kB and no long annotations. Documents, by what is left out of them."
        );
        let id = self.context.id.to_string();
        for (reason, documents) in [
            (TrimReason::Metadata, metadata),
            (TrimReason::StackFrames, frames),
            (TrimReason::Query, query),
            (TrimReason::Annotations, annotations),
            (TrimReason::Other, other),
        ] {
            let labels = [(label::EXPORTER, id.as_str()), (label::REASON, reason.as_str())];
            let registry = &self.context.process.registry;
            registry.counter(&names::EXPORTER_TRIMMED_ITEMS, &labels).add(documents as u64);
        }
    }
}

fn user_agent() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("hikyaku/{} ({os}/{arch})", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests;
