//! Detection as it goes on: everybody is asked, in the background, until all have answered or given up; and again from time to time.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use confmap::join_all;
use pipeline::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::config::Config;
use crate::detected::Detected;
use crate::detectors::{Ask, Failure, Kind};

/// First and longest pause before a detector that failed is asked again.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The longest attempt where nobody waits for it.
const ATTEMPT_MAX: Duration = Duration::from_secs(60);

/// The detection of one processor, shared by all pipelines that it stands in.
pub(crate) struct Detection {
    config: Config,
    detectors: Box<dyn Ask>,
    /// Until when payloads wait; set by the first start.
    patience_ends: OnceLock<Instant>,
    /// Held by the task that asks; the others wait for their turn, should that one be stopped.
    leader: tokio::sync::Mutex<()>,
    answers: Mutex<Vec<Answer>>,
    state: watch::Sender<State>,
}

/// What became of a detector.
#[derive(Clone, Debug)]
enum Answer {
    /// It is still asked; why it failed, if it did.
    Open(Option<String>),
    /// What it found, which may be nothing.
    Found(Detected),
    /// It will never find anything.
    GivenUp,
}

/// What payloads get.
#[derive(Clone, Debug, Default)]
struct State {
    detected: Arc<Detected>,
    /// Whether every detector has found something or given up.
    is_complete: bool,
}

impl Detection {
    /// A detection that has not begun.
    pub(crate) fn new(config: Config, detectors: impl Ask + 'static) -> Self {
        let answers = vec![Answer::Open(None); config.detectors.len()];
        Self {
            config,
            detectors: Box::new(detectors),
            patience_ends: OnceLock::new(),
            leader: tokio::sync::Mutex::default(),
            answers: Mutex::new(answers),
            state: watch::Sender::default(),
        }
    }

    /// From now on payloads wait, at most for the time that is set.
    pub(crate) fn begin(&self) {
        let _first = self.patience_ends.get_or_init(|| Instant::now() + self.config.timeout);
    }

    /// Whether what is detected takes the place of what senders say.
    pub(crate) fn overrides(&self) -> bool {
        self.config.overrides
    }

    /// What is known now.
    pub(crate) fn detected(&self) -> Arc<Detected> {
        self.state.borrow().detected.clone()
    }

    /// Waits until all detectors are done, or patience ends.
    pub(crate) async fn wait(&self) {
        let Some(end) = self.patience_ends.get() else { return };
        if self.state.borrow().is_complete || Instant::now() >= *end {
            return;
        }
        let mut state = self.state.subscribe();
        let _in_time = timeout_at(*end, state.wait_for(|state| state.is_complete)).await;
    }

    /// Asks everybody, and again from time to time; one caller at a time. The future may be dropped at any point; the next caller goes on.
    pub(crate) async fn run(&self) {
        let _leader = self.leader.lock().await;
        tokio::join!(self.complete(), self.complain());
        let Some(interval) = self.config.refresh_interval else { return };
        loop {
            sleep(interval).await;
            self.refresh().await;
        }
    }

    /// Asks those who have not answered yet, until they do.
    async fn complete(&self) {
        let open = self.open();
        if open.is_empty() {
            return;
        }
        let asking = open.into_iter().map(|(at, kind)| {
            let asking = self.ask_until_answered(at, kind);
            Box::pin(asking) as BoxFuture<'_, ()>
        });
        join_all(asking.collect()).await;
        let names = self.detected().names().join(", ");
        tracing::info!(attributes = names, "Detected resource information.");
    }

    async fn ask_until_answered(&self, at: usize, kind: Kind) {
        let mut pause = ASK_AGAIN.0;
        loop {
            let answer = match self.ask(kind).await {
                Ok(found) => Answer::Found(found),
                Err(Failure::ForGood(reason)) => {
                    tracing::error!(
                        detector = kind.name(),
                        error = reason,
                        "Failed to detect resource information; not tried again."
                    );
                    Answer::GivenUp
                }
                Err(Failure::ForNow(reason)) => Answer::Open(Some(reason)),
            };
            let is_open = matches!(answer, Answer::Open(_));
            self.note(at, answer);
            if !is_open {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(ASK_AGAIN.1);
        }
    }

    /// Says, when payloads stop waiting, whom they waited for in vain.
    async fn complain(&self) {
        let Some(end) = self.patience_ends.get() else { return };
        let mut state = self.state.subscribe();
        let done = state.wait_for(|state| state.is_complete);
        if timeout_at(*end, done).await.is_ok() {
            return;
        }
        for (at, kind) in self.open() {
            let reason = match self.answers().get(at) {
                Some(Answer::Open(Some(reason))) => reason.clone(),
                _ => "no answer yet".to_owned(),
            };
            tracing::warn!(
                detector = kind.name(),
                error = reason,
                "Resource information is still being detected; payloads go on without it until then."
            );
        }
    }

    /// Asks everybody once more. Whoever fails keeps what it had found.
    async fn refresh(&self) {
        let asking = self.config.detectors.iter().enumerate().map(|(at, kind)| {
            let asking = async move {
                match self.ask(*kind).await {
                    Ok(found) => self.note(at, Answer::Found(found)),
                    Err(failure) => tracing::warn!(
                        detector = kind.name(),
                        error = %failure,
                        "resource refresh failed; keeping what was detected before"
                    ),
                }
            };
            Box::pin(asking) as BoxFuture<'_, ()>
        });
        join_all(asking.collect()).await;
    }

    /// Asks a detector once, for no longer than the time that is set.
    async fn ask(&self, kind: Kind) -> Result<Detected, Failure> {
        let limit = match self.config.timeout {
            Duration::ZERO => ATTEMPT_MAX,
            limit => limit,
        };
        match timeout(limit, self.detectors.ask(kind, &self.config)).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(Failure::ForNow(format!("no answer within {limit:?}"))),
        }
    }

    /// Keeps an answer, and puts together what payloads get.
    fn note(&self, at: usize, answer: Answer) {
        let mut answers = self.answers();
        if let Some(known) = answers.get_mut(at) {
            *known = answer;
        }
        let mut detected = Detected::default();
        for answer in answers.iter() {
            if let Answer::Found(found) = answer {
                detected.add(found);
            }
        }
        let is_complete = answers.iter().all(|answer| !matches!(answer, Answer::Open(_)));
        let detected = Arc::new(detected);
        self.state.send_replace(State { detected, is_complete });
    }

    /// Those who have not answered, with their places.
    fn open(&self) -> Vec<(usize, Kind)> {
        let answers = self.answers();
        let all = self.config.detectors.iter().copied().enumerate().zip(answers.iter());
        all.filter(|(_, answer)| matches!(answer, Answer::Open(_))).map(|(who, _)| who).collect()
    }

    fn answers(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
