//! The exporter of one signal, and what the exporters of all signals of one section share.

use std::sync::Arc;

use exporter_helper::Push;
use pdata::Signal;
use pipeline::{BuildError, Context, Exporter};

use crate::config::Config;
use crate::intake::Intake;

/// What the exporters of one section share.
pub(crate) struct Shared {
    /// The settings.
    pub(crate) config: Arc<Config>,
    /// Where everything is sent.
    pub(crate) intake: Arc<Intake>,
}

impl Shared {
    /// Nothing is opened or read yet.
    pub(crate) fn new(config: Arc<Config>) -> Arc<Self> {
        let intake = Arc::new(Intake::new(config.clone()));
        Arc::new(Self { config, intake })
    }
}

/// Makes the exporter of the context's signal.
pub(crate) fn build(
    shared: &Arc<Shared>,
    context: Context,
) -> Result<Arc<dyn Exporter>, BuildError> {
    match context.signal {
        Some(signal @ (Signal::Traces | Signal::Metrics | Signal::Logs)) => {
            Err(BuildError(format!("exporters::{}: {signal} are not sent yet", context.id)))
        }
        None => Err(BuildError(format!("exporter \"{}\" was built for no signal", context.id))),
    }
}
