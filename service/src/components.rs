//! What this binary contains. One line for each component, under the feature that links it.

use pipeline::Components;

/// The components of this binary.
pub static COMPONENTS: Components = Components {
    receivers: &[
        #[cfg(feature = "receiver-awsxray")]
        &receiver_awsxray::FACTORY,
        #[cfg(feature = "receiver-nop")]
        &receiver_nop::FACTORY,
        #[cfg(feature = "receiver-otlp")]
        &receiver_otlp::FACTORY,
        #[cfg(feature = "receiver-telemetryapi")]
        &receiver_telemetryapi::FACTORY,
        #[cfg(feature = "receiver-zipkin")]
        &receiver_zipkin::FACTORY,
    ],
    processors: &[
        #[cfg(feature = "processor-attributes")]
        &processor_attributes::FACTORY,
        #[cfg(feature = "processor-batch")]
        &processor_batch::FACTORY,
        #[cfg(feature = "processor-coldstart")]
        &processor_coldstart::FACTORY,
        #[cfg(feature = "processor-decouple")]
        &processor_decouple::FACTORY,
        #[cfg(feature = "processor-memory-limiter")]
        &processor_memory_limiter::FACTORY,
        #[cfg(feature = "processor-probabilistic-sampler")]
        &processor_probabilistic_sampler::FACTORY,
        #[cfg(feature = "processor-resource")]
        &processor_resource::FACTORY,
        #[cfg(feature = "processor-resourcedetection")]
        &processor_resourcedetection::FACTORY,
    ],
    exporters: &[
        #[cfg(feature = "exporter-awsxray")]
        &exporter_awsxray::FACTORY,
        #[cfg(feature = "exporter-datadog")]
        &exporter_datadog::FACTORY,
        #[cfg(feature = "exporter-debug")]
        &exporter_debug::FACTORY,
        #[cfg(feature = "exporter-nop")]
        &exporter_nop::FACTORY,
        #[cfg(feature = "exporter-otlp")]
        &exporter_otlp::FACTORY,
        #[cfg(feature = "exporter-otlphttp")]
        &exporter_otlphttp::FACTORY,
        #[cfg(feature = "exporter-zipkin")]
        &exporter_zipkin::FACTORY,
    ],
    connectors: &[
        #[cfg(feature = "connector-datadog")]
        &connector_datadog::FACTORY,
    ],
    extensions: &[
        #[cfg(feature = "extension-health-check")]
        &extension_health_check::FACTORY,
        #[cfg(feature = "extension-sigv4auth")]
        &extension_sigv4auth::FACTORY,
    ],
};
