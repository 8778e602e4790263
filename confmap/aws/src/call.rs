//! Calls: signed, bounded, and made again while that may help.

use std::time::Duration;

use aws::{Cause, Error, Region, Service, Session};
use net::client::{ClientOptions, HttpClient, Reply, Request};
use tokio::time::{Instant, timeout_at};

use crate::{At, Aws, Failure, Kind};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_millis(2500);

/// The longest pause before the second attempt; it doubles for each further one, up to the last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How many connections are opened to a host.
const CONNECTIONS_MAX: usize = 8;

/// Calls a service in a region, for one retrieval.
pub struct Caller {
    session: Session,
    service: Service,
    region: Region,
    client: HttpClient,
    begun: Instant,
    deadline: Instant,
}

impl Caller {
    /// A caller whose answers are cut off behind `answer_bytes_max`. Opens nothing.
    #[must_use]
    pub fn new(aws: &Aws, at: &At, service: Service, answer_bytes_max: usize) -> Self {
        let (session, region) = (aws.session(at.role.as_ref()), at.region.clone());
        let settings = config::HttpClient {
            force_attempt_http2: false,
            max_conns_per_host: Some(CONNECTIONS_MAX),
            ..config::HttpClient::default()
        };
        let options = ClientOptions {
            environment: aws.network(),
            user_agent: Some(concat!("hikyaku/", env!("CARGO_PKG_VERSION")).to_owned()),
            auth: Some(session.signer_in(service, region.clone())),
            response_bytes_max: Some(answer_bytes_max),
        };
        let client = HttpClient::new(&settings, options);
        Self { session, service, region, client, begun: Instant::now(), deadline: aws.deadline() }
    }

    /// The service's endpoint.
    ///
    /// # Errors
    /// When what the environment names is no URL.
    pub async fn endpoint(&self) -> Result<http::Uri, Failure> {
        let endpoint = self.session.endpoint_in(self.service, &self.region);
        within(self.deadline, "the endpoint", endpoint).await
    }

    /// The service's endpoint if the environment names one.
    ///
    /// # Errors
    /// When what the environment names is no URL.
    pub async fn configured_endpoint(&self) -> Result<Option<http::Uri>, Failure> {
        let endpoint = self.session.configured_endpoint(self.service);
        within(self.deadline, "the endpoint", endpoint).await
    }

    /// Makes a call until it is answered, or fails in a way that no further attempt mends, or the budget is spent.
    /// Credentials that have expired are asked for anew, once.
    ///
    /// # Errors
    /// The last failure, with the number of attempts.
    pub async fn call<T>(
        &self,
        action: &'static str,
        request: &Request,
        read: impl Fn(&Reply) -> Result<T, Cause>,
    ) -> Result<T, Failure> {
        let mut attempts = 0;
        let mut has_renewed = false;
        loop {
            attempts += 1;
            let failure = match self.attempt(action, request, &read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure.tried(attempts, self.begun.elapsed()),
            };
            let pause = match failure.kind() {
                Kind::Expired if !has_renewed => {
                    has_renewed = true;
                    self.session.forget_credentials();
                    Duration::ZERO
                }
                Kind::Throttled | Kind::Unavailable => pause(attempts),
                _ => return Err(failure),
            };
            if Instant::now() + pause >= self.deadline {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Ends its connections.
    pub async fn close(&self) {
        self.client.close().await;
    }

    async fn attempt<T>(
        &self,
        action: &'static str,
        request: &Request,
        read: &impl Fn(&Reply) -> Result<T, Cause>,
    ) -> Result<T, Failure> {
        let failed = |cause| Failure::of_call(self.service.host, action, cause);
        // The signer takes them from the session; here, their failure is not one of the connection.
        within(self.deadline, "AWS credentials", self.session.credentials()).await?;
        let deadline = self.deadline.min(Instant::now() + ATTEMPT);
        let reply = self.client.send(request, deadline).await;
        let reply = reply.map_err(|error| failed(Cause::transport(error)))?;
        read(&reply).map_err(failed)
    }
}

/// Waits until the deadline for what a session has to find out first.
pub(crate) async fn within<T>(
    deadline: Instant,
    awaited: &'static str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    let begun = Instant::now();
    match timeout_at(deadline, work).await {
        Ok(outcome) => outcome.map_err(Failure::of),
        Err(_elapsed) => Err(Failure::timed_out(awaited, begun.elapsed())),
    }
}

/// A pause by chance, so that processes that started together do not come back together.
fn pause(attempts: u32) -> Duration {
    let (first, last) = PAUSE;
    let longest = first.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(last);
    longest.mul_f64(fastrand::f64().max(0.1))
}

#[cfg(test)]
mod tests;
