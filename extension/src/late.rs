//! Pipelines whose config could not be fetched in the init phase: the function runs without them, and it is tried again.
//!
//! What is fetched takes effect with the next invocation, since the platform wants one call of `/next` for each event.

use std::pin::{Pin, pin};
use std::time::{Duration, SystemTime};

use lambda::api::{Event, Registered};

use crate::environment::Environment;
use crate::pipelines::{Pipelines, Prepared, Starter};

/// The time between two tries, by the wall clock: the process may be frozen in between.
const TRY_EVERY: Duration = Duration::from_secs(30);

/// What came first.
pub(crate) enum Late {
    /// The pipelines run, and this invocation is their first.
    Running(Box<Pipelines>, Event),
    /// The environment ends.
    Over,
}

/// Asks for events, and beside invocations for the config, until it is there or the environment ends.
pub(crate) async fn fetch(
    environment: &Environment,
    registered: &Registered,
    starter: &mut Starter,
) -> Late {
    let mut tried = SystemTime::now();
    loop {
        match registered.next().await {
            Event::Shutdown(_) => return Late::Over,
            Event::Invoke(_) if tried.elapsed().unwrap_or(TRY_EVERY) < TRY_EVERY => {}
            Event::Invoke(_) => {
                tried = SystemTime::now();
                match fetch_once(environment, registered, starter).await {
                    Tried::Fetched(pipelines, event) => return Late::Running(pipelines, event),
                    Tried::Failed => {}
                    Tried::Over => return Late::Over,
                }
            }
        }
    }
}

enum Tried {
    Fetched(Box<Pipelines>, Event),
    Failed,
    Over,
}

/// One try, which does not hold up the invocation that it began beside. It goes on beside the next ones, and ends with an event.
async fn fetch_once(
    environment: &Environment,
    registered: &Registered,
    starter: &mut Starter,
) -> Tried {
    let mut fetch: Option<Pin<Box<dyn Future<Output = Prepared> + '_>>> =
        Some(Box::pin(starter.fetch(environment)));
    let mut pipelines = None;
    loop {
        let event = {
            let mut next = pin!(registered.next());
            loop {
                tokio::select! {
                    biased;
                    prepared = poll(&mut fetch) => {
                        fetch = None;
                        match prepared {
                            Prepared::Running(running) => pipelines = Some(running),
                            Prepared::Off(why) => {
                                tracing::warn!("Telemetry is still off: {why}");
                            }
                            Prepared::Unfetched(_) => {}
                        }
                    }
                    event = &mut next => break event,
                }
            }
        };
        match (event, pipelines.take()) {
            (event, Some(pipelines)) => return Tried::Fetched(pipelines, event),
            (Event::Shutdown(_), None) => return Tried::Over,
            (Event::Invoke(_), None) if fetch.is_none() => return Tried::Failed,
            (Event::Invoke(_), None) => {}
        }
    }
}

/// The end of a try that is going on; never completes when there is none. May be dropped at any point.
async fn poll(fetch: &mut Option<Pin<Box<dyn Future<Output = Prepared> + '_>>>) -> Prepared {
    match fetch {
        Some(fetch) => fetch.as_mut().await,
        None => std::future::pending().await,
    }
}
