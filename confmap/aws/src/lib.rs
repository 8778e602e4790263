//! What the providers of configuration that ask AWS share: how a reference is written, who asks, retries within a budget of
//! time, and errors that say what to do.
//!
//! - [`Spec`] is a reference: a name, and who and where to ask by query parameters.
//! - [`Aws`] holds a session for each role. Making one reads nothing; the first reference that needs it does. [`At`] is one of them in a region.
//! - [`Caller`] makes the calls of one retrieval in one region: each is signed, bounded, and made again while that may help.
//! - [`Failure`] is why there is no value, by [`Kind`]; with a reference it becomes an error with a remedy.
//! - [`Reader`] asks for each name once, those of one place together, and keeps what was read for the time when AWS can't be reached.
//!
//! Invariants: no value stands in an error, a warning or a `Debug`; nothing waits beyond the budget, which all calls of one
//! resolution share.

mod call;
mod failure;
mod held;
mod reader;
mod spec;
mod value;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws::{Environment, Region, Role, Session, Settings};
use net::host::{Host, Platform};
use tokio::time::Instant;

pub use call::Caller;
pub use failure::{Failure, Kind, Wanted, describe};
pub use reader::{Answers, Reader, Reading};
pub use spec::{Options, Place, Spec, SpecError, label};
pub use value::{FieldError, field, yielded};

/// How long all calls of one resolution may take together.
const BUDGET: Duration = Duration::from_secs(10);

/// The same in a Lambda function, whose start may take ten seconds in all, and whose extension waits five for a config from elsewhere.
const BUDGET_IN_LAMBDA: Duration = Duration::from_secs(4);

/// Who asks AWS. Clones share the sessions and the budget.
#[derive(Clone)]
pub struct Aws {
    shared: Arc<Shared>,
}

struct Shared {
    environment: Environment,
    budget: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// One for each role, and one for none.
    sessions: Vec<(Option<Role>, Session)>,
    deadline: Option<Instant>,
}

impl Aws {
    /// The AWS of this process.
    #[must_use]
    pub fn process() -> Self {
        Self::new(Environment::process())
    }

    /// The AWS of this environment, which is not read yet but for the platform.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        let platform = Host::of(None, |name| environment.get(name).map(Into::into)).platform;
        let budget = if platform == Platform::Lambda { BUDGET_IN_LAMBDA } else { BUDGET };
        Self::with_budget(environment, budget)
    }

    /// The same with another budget of time for each resolution.
    #[must_use]
    pub fn with_budget(environment: Environment, budget: Duration) -> Self {
        let shared = Shared { environment, budget, state: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// A resolution begins: its budget is whole.
    pub fn begin(&self) {
        self.state().deadline = Some(Instant::now() + self.shared.budget);
    }

    /// When the budget is spent.
    pub(crate) fn deadline(&self) -> Instant {
        let whole = Instant::now() + self.shared.budget;
        *self.state().deadline.get_or_insert(whole)
    }

    /// Finds out where each of these places is: the region of one that names none is that of the process.
    ///
    /// Failures are those of single places: no region is known, or it is none.
    pub(crate) async fn locate(&self, places: &[&Place]) -> Vec<Result<At, Failure>> {
        let is_open = places.iter().any(|place| place.region.is_none());
        let own = if is_open { Some(self.own_region().await) } else { None };
        let locate = |place: &&Place| {
            let region = match &place.region {
                Some(region) => Region::new(region, "the reference").map_err(Failure::of),
                None => own.clone().expect("it was looked for, as one of the places is open"),
            };
            Ok(At { role: place.role.clone(), region: region? })
        };
        places.iter().map(locate).collect()
    }

    /// The region does not depend on the role.
    async fn own_region(&self) -> Result<Region, Failure> {
        call::within(self.deadline(), "the region", self.session(None).region()).await
    }

    fn session(&self, role: Option<&Role>) -> Session {
        let mut state = self.state();
        let known = state.sessions.iter().find(|(known, _)| known.as_ref() == role);
        if let Some((_, session)) = known {
            return session.clone();
        }
        let settings = Settings { role: role.cloned(), ..Settings::default() };
        let session = Session::new(settings, self.shared.environment.clone());
        state.sessions.push((role.cloned(), session.clone()));
        session
    }

    fn network(&self) -> net::client::Environment {
        self.shared.environment.network()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who asks, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct At {
    role: Option<Role>,
    region: Region,
}

/// Nothing of its sessions is shown.
impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}
