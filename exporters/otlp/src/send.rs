//! One call out, and what its answer means.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::config::{Auth, GrpcClient as ClientSettings};
use exporter_helper::classify::{self, GrpcAnswer};
use exporter_helper::{
    EncodeError, Encoded, EncodedRequest, OFFLOAD_BYTES, Push, Reason, SendError, Sent, exporter,
    user_agent,
};
use http::HeaderMap;
use net::auth::ClientAuthenticator;
use net::client::{CallError, ClientOptions, Environment, GrpcClient, GrpcMessage};
use pdata::{PartialSuccess, Payload, Signal};
use pipeline::{BuildError, Client, Context, Deadline, Exporter, GrpcCode, StartError};

use crate::config::Config;

/// The limit of an attempt that has none of its own.
const WITHOUT_TIMEOUT: Duration = Duration::from_secs(3600);

/// Makes the exporter for the context's signal.
pub(crate) fn build(config: &Config, context: Context) -> Result<Arc<dyn Exporter>, BuildError> {
    let tls = &config.client.tls;
    if !tls.is_plaintext() {
        net::tls::check_client(tls).map_err(|error| BuildError(error.to_string()))?;
    }
    let push = OtlpGrpc {
        settings: config.client.clone(),
        timeout: config.helper.timeout.0.unwrap_or(WITHOUT_TIMEOUT),
        method: method(context.signal.unwrap_or(Signal::Traces)),
        context: context.clone(),
        client: OnceLock::new(),
    };
    let client = push
        .connectable(None)
        .map_err(|error| BuildError(format!("exporters::{}::{error}", context.id)))?;
    if push.settings.auth.is_none() {
        // The only call so far: the cell is empty.
        let _first = push.client.set(client);
    }
    exporter(context, config.helper.clone(), push)
}

/// The method of a signal (opentelemetry-proto `collector/*/v1/*_service.proto`).
fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

struct OtlpGrpc {
    settings: ClientSettings,
    timeout: Duration,
    method: &'static str,
    context: Context,
    /// Made at start where there is an authenticator to be found, else when the exporter is built.
    client: OnceLock<GrpcClient>,
}

/// A message and its size before compression, which peers' limits count.
#[derive(Debug)]
pub(crate) struct Message {
    message: GrpcMessage,
    plain_bytes: usize,
}

impl OtlpGrpc {
    /// The client, which opens nothing yet.
    fn connectable(&self, auth: Option<&ClientAuthenticator>) -> Result<GrpcClient, String> {
        let options = ClientOptions {
            environment: Environment::process(),
            user_agent: Some(user_agent()),
            auth: auth.map(|authenticator| authenticator.0.clone()),
            ..ClientOptions::default()
        };
        GrpcClient::new(&self.settings, options)
    }

    fn client(&self) -> Option<&GrpcClient> {
        self.client.get()
    }

    fn compresses(&self) -> bool {
        self.settings.compression.is_compressed()
    }
}

impl Push for OtlpGrpc {
    type Request = Message;

    fn encode(&self, payload: &Payload, _: &Client) -> Result<Encoded<Message>, EncodeError> {
        let not_started =
            || EncodeError::Untranslatable(Reason::new("the exporter is not started"));
        let failed = |error| EncodeError::Untranslatable(Reason::new(format!("{error}")));
        let client = self.client().ok_or_else(not_started)?;
        let plain_bytes = payload.encoded_len();
        let message = client.encode_now(payload.chunks().to_vec()).map_err(failed)?;
        let own_bytes = if self.compresses() { message.len() } else { 0 };
        // Peers limit the message as it is without compression.
        let request =
            EncodedRequest::new(Message { message, plain_bytes }, payload.items(), plain_bytes);
        Ok(Encoded::one(request.memory_bytes(own_bytes)))
    }

    async fn send(&self, request: &Message) -> Result<Sent, SendError> {
        let not_started = || SendError::peer(Reason::new("the exporter is not started"));
        let client = self.client().ok_or_else(not_started)?;
        let deadline = Deadline::after(self.timeout).instant();
        let metadata = HeaderMap::new();
        match client.call(self.method, &request.message, &metadata, deadline).await {
            Ok(reply) => Ok(taken(&reply.message)),
            Err(CallError::Transport(error)) => Err(SendError::unreached(&error)),
            Err(error @ CallError::Status { .. }) => refused(&error, request.plain_bytes),
        }
    }

    async fn warm(&self, deadline: Deadline) {
        if let Some(client) = self.client() {
            client.warm(deadline.instant()).await;
        }
    }

    fn request_bytes(&self, payload: &Payload) -> Option<usize> {
        Some(payload.encoded_len())
    }

    fn offload_bytes(&self) -> usize {
        if self.compresses() { OFFLOAD_BYTES } else { usize::MAX }
    }

    async fn start(&self) -> Result<(), StartError> {
        if let Some(Auth { authenticator, .. }) = &self.settings.auth {
            let id = authenticator
                .parse()
                .map_err(|error| StartError(format!("auth::authenticator: {error}")))?;
            let authenticator = self.context.capability::<ClientAuthenticator>(&id)?;
            let client = self.connectable(Some(&authenticator)).map_err(StartError)?;
            // Set once: start is called once, before the first request.
            let _first = self.client.set(client);
        }
        Ok(())
    }
}

/// What an OK answer says.
fn taken(response: &[u8]) -> Sent {
    match PartialSuccess::from_protobuf(response) {
        Ok(partial) if partial.is_full() => Sent::all(),
        Ok(partial) => {
            let rejected = usize::try_from(partial.rejected).unwrap_or(usize::MAX);
            Sent::partly(rejected, Reason::new(partial.message))
        }
        Err(not_a_response) => Sent::partly(0, Reason::new(not_a_response.to_string())),
    }
}

/// What any other status says.
fn refused(error: &CallError, plain_bytes: usize) -> Result<Sent, SendError> {
    let code = match error {
        CallError::Status { status, .. } => status.code,
        CallError::Transport(_) => GrpcCode::Unavailable,
    };
    let reason = Reason::new(error.to_string());
    let answer = GrpcAnswer { code, retry_info: error.retry_delay(), reason };
    classify::grpc(answer, plain_bytes).map(|()| Sent::all())
}

#[cfg(test)]
mod tests;
