//! What a binary knows of a component before there is one: its type, its signals, how to read its config section.
//!
//! A factory is data. `parse` reads the whole section and leaves every error in the section's diagnostics; the
//! function it returns is called only for sections without errors that a pipeline uses.

use std::sync::Arc;

use confmap::{Capability, Section};
use pdata::Signal;

use crate::component::{Connector, Exporter, Extension, Processor, Receiver};
use crate::context::{BuildError, Context};
use crate::id::ComponentKind;
use crate::listeners::TransportAddress;
use crate::outlet::{Outlet, Outlets};

/// Makes a receiver that serves all its signals.
pub type BuildReceiver =
    Box<dyn Fn(Context, Outlets) -> Result<Arc<dyn Receiver>, BuildError> + Send + Sync>;
/// Makes a processor for one pipeline.
pub type BuildProcessor =
    Box<dyn Fn(Context, Outlet) -> Result<Arc<dyn Processor>, BuildError> + Send + Sync>;
/// Makes an exporter for one signal.
pub type BuildExporter =
    Box<dyn Fn(Context) -> Result<Arc<dyn Exporter>, BuildError> + Send + Sync>;
/// Makes a connector from one signal to another, whose outlet it is given.
pub type BuildConnector =
    Box<dyn Fn(Context, Signal, Outlet) -> Result<Arc<dyn Connector>, BuildError> + Send + Sync>;
/// Makes a service extension.
pub type BuildExtension =
    Box<dyn Fn(Context) -> Result<Arc<dyn Extension>, BuildError> + Send + Sync>;

/// Where a running agent says over HTTP whether it is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Where it listens.
    pub address: TransportAddress,
    /// The path of the page.
    pub path: String,
    /// Whether it speaks TLS.
    pub is_encrypted: bool,
}

macro_rules! factory {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $build:ty, { $($(#[$field_doc:meta])* $field:ident: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            /// The type, as in config: `type` or `type/name`.
            pub component_type: &'static str,
            /// Other spellings that are accepted, with a notice.
            pub aliases: &'static [&'static str],
            $($(#[$field_doc])* pub $field: $type,)*
            /// Reads a section. Must read every key, and finish the section.
            pub parse: fn(Section<'_>) -> $build,
        }

        impl Factory for $name {
            type Build = $build;
            const KIND: ComponentKind = ComponentKind::$kind;

            fn component_type(&self) -> &'static str {
                self.component_type
            }

            fn aliases(&self) -> &'static [&'static str] {
                self.aliases
            }

            fn parse(&self, section: Section<'_>) -> $build {
                (self.parse)(section)
            }
        }
    };
}

/// What the factories of all kinds have in common.
pub(crate) trait Factory: 'static {
    /// What `parse` makes of a section.
    type Build;
    /// The kind of its components.
    const KIND: ComponentKind;

    fn component_type(&self) -> &'static str;
    fn aliases(&self) -> &'static [&'static str];
    fn parse(&self, section: Section<'_>) -> Self::Build;
}

factory!(
    /// A type of receiver.
    ReceiverFactory, Receiver, BuildReceiver, {
        /// The signals it can produce.
        signals: &'static [Signal]
    }
);
factory!(
    /// A type of processor.
    ProcessorFactory, Processor, BuildProcessor, {
        /// The signals it can process.
        signals: &'static [Signal]
    }
);
factory!(
    /// A type of exporter.
    ExporterFactory, Exporter, BuildExporter, {
        /// The signals it can send.
        signals: &'static [Signal]
    }
);
factory!(
    /// A type of connector.
    ConnectorFactory, Connector, BuildConnector, {
        /// The pairs it can connect: end of a pipeline of the first signal, start of one of the second.
        signals: &'static [(Signal, Signal)]
    }
);
factory!(
    /// A type of service extension.
    ExtensionFactory, Extension, BuildExtension, {
        /// What it can be to other components.
        provides: &'static [Capability],
        /// Where such an extension says whether the agent is ready, for a section without errors. Reads and finishes the section as
        /// `parse` does.
        probe: Option<fn(Section<'_>) -> Probe>
    }
);
