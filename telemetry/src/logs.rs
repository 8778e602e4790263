//! The process's own log: a [`tracing`] subscriber for events, with the Collector's two encodings.
//!
//! Life of a logger: [`Early`] keeps what is logged before the configuration is known; [`Early::install`] opens the
//! configured outputs and replays it; [`Logger`] changes level and outputs at a reload. If the configuration never comes
//! to that, dropping `Early` prints everything to stderr in console form.
//!
//! Records are written by the thread that logs, in order, so nothing is lost when the process ends. What an output does
//! not take is dropped and counted, never waited for (see `output`). Spans are ignored.

mod encode;
mod output;
mod record;
mod sampler;

use std::borrow::Cow;
use std::fmt;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicU8, Ordering},
};

use tracing::{
    Dispatch, Event, Metadata, Subscriber, level_filters::LevelFilter, span, subscriber::Interest,
};

pub use self::output::OutputError;
use self::{encode::Format, output::Output, record::Record, sampler::Sampler};
use crate::{
    metrics::{Counter, Registration, Registry},
    names::{self, LogDropReason, label},
    settings::{LogLevel, LogSettings},
};

/// Records kept before the logger is configured.
const EARLY_RECORDS_MAX: usize = 1024;

/// Text kept in those records, in bytes.
const EARLY_BYTES_MAX: usize = 256 * 1024;

/// A logger that is not configured yet: it keeps records from `debug` up, within limits.
///
/// Dropped without [`Early::install`], it behaves as if installed with the default settings, so nobody has to think of
/// the log on the way out of a failed start.
#[derive(Debug)]
pub struct Early {
    logger: Logger,
    installed: bool,
}

impl Early {
    /// Starts keeping records. They only arrive once the logger is made the default for the process or a scope.
    #[expect(
        clippy::new_without_default,
        reason = "dropping one prints: it is not made in passing"
    )]
    pub fn new() -> Self {
        let core = Core {
            level: AtomicU8::new(LogLevel::Debug as u8),
            part_levels: RwLock::default(),
            dropped: Dropped::default(),
            conceal: Mutex::default(),
            state: Mutex::new(State::Early { records: Vec::new(), bytes: 0 }),
        };
        Self { logger: Logger { core: Arc::new(core) }, installed: false }
    }

    /// Makes this the logger of the whole process.
    ///
    /// # Errors
    ///
    /// When the process already has one, as a second agent in the same process does: the first keeps the log.
    pub fn set_global(&self) -> Result<(), GlobalLoggerSet> {
        tracing::dispatcher::set_global_default(self.dispatch()).map_err(|_| GlobalLoggerSet)
    }

    /// The subscriber, to be made the default of a scope.
    pub fn dispatch(&self) -> Dispatch {
        Dispatch::new(EventSubscriber { core: Arc::clone(&self.logger.core) })
    }

    /// As [`Logger::conceal`], for what was kept, too.
    pub fn conceal(&self, conceal: impl Fn(&str) -> Cow<'_, str> + Send + Sync + 'static) {
        self.logger.conceal(conceal);
    }

    /// Opens the outputs and writes to them what was kept so far, as far as the level lets it through.
    ///
    /// # Errors
    ///
    /// When an output cannot be opened. What was kept is then printed to stderr.
    pub fn install(mut self, settings: &LogSettings) -> Result<Logger, OutputError> {
        self.logger.reconfigure(settings)?;
        self.installed = true;
        Ok(self.logger.clone())
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        if !self.installed {
            self.logger.replace(Sink::fallback(), LogLevel::Info, Vec::new());
        }
    }
}

/// The configured logger. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct Logger {
    core: Arc<Core>,
}

impl Logger {
    /// Shows records from `level` up from now on.
    pub fn set_level(&self, level: LogLevel) {
        self.core.level.store(level as u8, Ordering::Relaxed);
        tracing_core::callsite::rebuild_interest_cache();
    }

    /// Opens the outputs of new settings and goes over to them. Files are opened anew, which completes a log rotation.
    ///
    /// # Errors
    ///
    /// When an output cannot be opened; nothing changes then.
    pub fn reconfigure(&self, settings: &LogSettings) -> Result<(), OutputError> {
        self.replace(Sink::open(settings)?, settings.level, settings.part_levels.clone());
        Ok(())
    }

    /// Has each line of the log pass through this before it is written: it takes out what must not be shown.
    pub fn conceal(&self, conceal: impl Fn(&str) -> Cow<'_, str> + Send + Sync + 'static) {
        *self.core.conceal() = Conceal(Some(Box::new(conceal)));
    }

    /// Exposes how many records were not written, for as long as the registrations live.
    #[must_use = "the series disappear with their registrations"]
    pub fn observe(&self, registry: &Registry) -> Vec<Registration> {
        let series = |reason: &LogDropReason| {
            let dropped = self.core.dropped.counter(*reason).clone();
            let labels = [(label::REASON, reason.as_str())];
            let read = move || Some(dropped.get() as f64);
            registry.counter_fn(&names::LOG_RECORDS_DROPPED, &labels, read)
        };
        LogDropReason::ALL.iter().map(series).collect()
    }

    fn replace(&self, sink: Sink, level: LogLevel, part_levels: Vec<(&'static str, LogLevel)>) {
        *self.core.part_levels.write().unwrap_or_else(PoisonError::into_inner) = part_levels;
        {
            let mut state = self.core.lock();
            if let State::Early { records, .. } = std::mem::replace(&mut *state, State::Ready(sink))
                && let State::Ready(sink) = &mut *state
            {
                let conceal = self.core.conceal();
                let limit = |record: &Record| {
                    self.core.level_of_part(record.source.map(|(file, _)| file)).unwrap_or(level)
                };
                for record in records.iter().filter(|record| record.level >= limit(record)) {
                    sink.write(record, &conceal, &self.core.dropped);
                }
            }
        }
        self.set_level(level);
    }
}

/// The process already has a logger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this process already has a logger")]
pub struct GlobalLoggerSet;

/// What all handles and the subscriber share.
#[derive(Debug)]
struct Core {
    level: AtomicU8,
    /// Parts with a level of their own, by the beginning of their sources' paths.
    part_levels: RwLock<Vec<(&'static str, LogLevel)>>,
    dropped: Dropped,
    /// Taken behind `state` where both are.
    conceal: Mutex<Conceal>,
    state: Mutex<State>,
}

/// Takes out of a line what must not be shown.
#[derive(Default)]
struct Conceal(Option<Box<ConcealFn>>);

type ConcealFn = dyn Fn(&str) -> Cow<'_, str> + Send + Sync;

/// Without what it hides.
impl fmt::Debug for Conceal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Conceal")
    }
}

impl Core {
    fn shows(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && record::level(metadata)
                .is_some_and(|level| level as u8 >= self.limit(metadata.file()))
    }

    /// From which level on records of a source file are shown.
    fn limit(&self, file: Option<&str>) -> u8 {
        let of_part = self.level_of_part(file).map(|level| level as u8);
        of_part.unwrap_or_else(|| self.level.load(Ordering::Relaxed))
    }

    fn level_of_part(&self, file: Option<&str>) -> Option<LogLevel> {
        let file = file?;
        let parts = self.part_levels.read().unwrap_or_else(PoisonError::into_inner);
        parts.iter().find(|(part, _)| file.starts_with(part)).map(|(_, level)| *level)
    }

    fn take(&self, record: Record) {
        match &mut *self.lock() {
            State::Early { records, bytes } => {
                if records.len() < EARLY_RECORDS_MAX && *bytes + record.bytes() <= EARLY_BYTES_MAX {
                    *bytes += record.bytes();
                    records.push(record);
                } else {
                    self.dropped.counter(LogDropReason::EarlyBufferFull).increment();
                }
            }
            State::Ready(sink) => sink.write(&record, &self.conceal(), &self.dropped),
        }
    }

    fn conceal(&self) -> MutexGuard<'_, Conceal> {
        self.conceal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whatever happened while the lock was held, the next record can be written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum State {
    /// Before the configuration.
    Early { records: Vec<Record>, bytes: usize },
    /// After it.
    Ready(Sink),
}

/// Where records go, and in which form.
#[derive(Debug)]
struct Sink {
    format: Format,
    sampler: Option<Sampler>,
    outputs: Vec<Output>,
    error_outputs: Vec<Output>,
    line: Vec<u8>,
}

impl Sink {
    fn open(settings: &LogSettings) -> Result<Self, OutputError> {
        Ok(Self {
            format: Format::new(settings),
            sampler: settings.sampling.as_ref().map(Sampler::new),
            outputs: output::open_all("output_paths", &settings.output_paths)?,
            error_outputs: output::open_all("error_output_paths", &settings.error_output_paths)?,
            line: Vec::new(),
        })
    }

    /// What the default settings give, which never fails: stderr is always open.
    fn fallback() -> Self {
        Self {
            format: Format::new(&LogSettings::default()),
            sampler: None,
            outputs: vec![Output::stderr()],
            error_outputs: Vec::new(),
            line: Vec::new(),
        }
    }

    fn write(&mut self, record: &Record, conceal: &Conceal, dropped: &Dropped) {
        if self.sampler.as_mut().is_some_and(|sampler| !sampler.admit(record)) {
            return dropped.counter(LogDropReason::Sampled).increment();
        }
        self.line.clear();
        if encode::encode(record, &self.format, &mut self.line).is_err() {
            return dropped.counter(LogDropReason::OutputFailed).increment();
        }
        if let Conceal(Some(conceal)) = conceal
            && let Ok(line) = std::str::from_utf8(&self.line)
            && let Cow::Owned(masked) = conceal(line)
        {
            self.line = masked.into_bytes();
        }
        for output in &mut self.outputs {
            let Err(failure) = output.write(&self.line) else { continue };
            dropped.counter(failure.reason()).increment();
            if let Some(note) = output.first_failure(record.time, &failure) {
                for error_output in &mut self.error_outputs {
                    // Nobody is left to tell.
                    let _: Result<(), _> = error_output.write(note.as_bytes());
                }
            }
        }
    }
}

/// Records that were not written, by reason.
#[derive(Debug, Default)]
struct Dropped {
    sampled: Counter,
    stalled: Counter,
    failed: Counter,
    early: Counter,
}

impl Dropped {
    fn counter(&self, reason: LogDropReason) -> &Counter {
        match reason {
            LogDropReason::Sampled => &self.sampled,
            LogDropReason::OutputStalled => &self.stalled,
            LogDropReason::OutputFailed => &self.failed,
            LogDropReason::EarlyBufferFull => &self.early,
        }
    }
}

/// Turns events into records. Spans get one id for all of them and are otherwise ignored.
struct EventSubscriber {
    core: Arc<Core>,
}

impl Subscriber for EventSubscriber {
    /// Lets `tracing` skip a disabled event after a single load; [`Logger::set_level`] has the answers asked for anew.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.core.shows(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.core.shows(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let parts = self.core.part_levels.read().unwrap_or_else(PoisonError::into_inner);
        let of_parts = parts.iter().map(|(_, level)| *level as u8);
        let level = of_parts.chain([self.core.level.load(Ordering::Relaxed)]).min().unwrap_or(0);
        let shown = [
            (LogLevel::Debug, LevelFilter::DEBUG),
            (LogLevel::Info, LevelFilter::INFO),
            (LogLevel::Warn, LevelFilter::WARN),
            (LogLevel::Error, LevelFilter::ERROR),
        ];
        let lowest = shown.iter().find(|(candidate, _)| *candidate as u8 >= level);
        Some(lowest.map_or(LevelFilter::OFF, |(_, filter)| *filter))
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        if let Some(record) = Record::of(event) {
            self.core.take(record);
        }
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

#[cfg(test)]
mod tests;
