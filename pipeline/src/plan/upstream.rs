//! Upstream's components that this program does not carry: what a config that names one is told.
//!
//! The types are those of upstream's distributions (open-telemetry/opentelemetry-collector-releases, `otelcol`, `otelcol-contrib` and
//! `otelcol-k8s`), those taken out over the years included, as each component's `metadata.yaml` spells them.

use crate::id::ComponentKind;

/// What becomes of a component of a known type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Moves no data, so a config works without it. The reason completes "is accepted and has no effect: …".
    Ignored(&'static str),
    /// Cannot be done without. What to do instead, where there is something.
    Refused(Option<&'static str>),
}

/// What is known of a type of upstream's, however its underscores are placed.
pub(super) fn known(kind: ComponentKind, component_type: &str) -> Option<Known> {
    if kind == Extension
        && let Some((_, why)) = IGNORED.iter().find(|(name, _)| is_same(name, component_type))
    {
        return Some(Known::Ignored(why));
    }
    let instead = INSTEAD.iter().find(|(of, names, _)| {
        *of == kind && names.split(' ').any(|name| is_same(name, component_type))
    });
    if let Some((_, _, instead)) = instead {
        return Some(Known::Refused(Some(instead)));
    }
    let is_known = types(kind).split_ascii_whitespace().any(|name| is_same(name, component_type));
    is_known.then_some(Known::Refused(None))
}

/// Whether two types differ in underscores at most: upstream is on its way from run-together names to snake case (its issue 14396), so
/// both are in use.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    let significant = |text: &'_ str| text.chars().filter(|c| *c != '_').collect::<String>();
    significant(a) == significant(b)
}

const IGNORED: &[(&str, &str)] = &[
    ("cgroup_runtime", "it tunes Go's runtime, which is not in this program"),
    ("memory_ballast", "it tunes Go's garbage collector, which is not in this program"),
    ("pprof", "it shows profiles of Go's runtime, which is not in this program"),
    ("zpages", "this program has no pages about itself but its metrics and the health check"),
];

use ComponentKind::{Connector, Exporter, Extension, Processor, Receiver};

/// Those that something here stands in for, by kind; several types with a space between them.
const INSTEAD: &[(ComponentKind, &str, &str)] = &[
    (Receiver, "datadog", "have what sends to it send OTLP, and use the otlp receiver"),
    (
        Receiver,
        "jaeger opencensus sapm skywalking",
        "have what sends to it send OTLP or Zipkin, and use the otlp or zipkin receiver",
    ),
    (
        Processor,
        "tail_sampling",
        "probabilistic_sampler keeps a share of whole traces by their ids, whatever is in them",
    ),
    (
        Processor,
        "filter",
        "attributes and resource take attributes out, and nothing here drops records by what is in them",
    ),
    (
        Processor,
        "transform span",
        "attributes and resource set, rename and take out attributes, and nothing here rewrites other fields",
    ),
    (Processor, "redaction", "attributes deletes or hashes the attributes that are named to it"),
    (
        Processor,
        "k8s_attributes",
        "hand the pod's facts down in OTEL_RESOURCE_ATTRIBUTES, which resourcedetection's env detector reads",
    ),
    (Processor, "datadog", "the datadog connector makes the same metrics from traces"),
    (Exporter, "jaeger jaeger_thrift", "Jaeger takes OTLP: use the otlp exporter, with port 4317"),
    (
        Exporter,
        "loki",
        "Loki takes OTLP: use the otlphttp exporter with endpoint: http://<loki>:3100/otlp",
    ),
    (
        Exporter,
        "prometheusremotewrite",
        "Prometheus takes OTLP: use the otlphttp exporter with endpoint: http://<prometheus>:9090/api/v1/otlp",
    ),
    (
        Exporter,
        "dynatrace elastic honeycomb instana newrelic opencensus tanzuobservability",
        "use the otlp or otlphttp exporter, if the backend takes OTLP",
    ),
    (
        Extension,
        "basicauth bearertokenauth headers_setter",
        "write headers: {authorization: …} on the exporter, with a secret as ${env:…} or ${file:…}",
    ),
    (
        Extension,
        "asapclient azure_auth googleclientauth oauth2client",
        "where a token that lasts will do, write headers: {authorization: …} on the exporter",
    ),
    (
        Extension,
        "db_storage file_storage redis_storage",
        "queues are held in memory here: take storage out of the exporters' sending_queue",
    ),
    (Connector, "forward", "list the components of the pipeline behind it in the one before it"),
];

fn types(kind: ComponentKind) -> &'static str {
    match kind {
        Receiver => RECEIVERS,
        Processor => PROCESSORS,
        Exporter => EXPORTERS,
        Connector => CONNECTORS,
        Extension => EXTENSIONS,
    }
}

const RECEIVERS: &str = "
    active_directory_ds aerospike apache apachespark awscloudwatch awscontainerinsight awsecscontainermetrics awsfirehose awslambda
    awss3 azureblob azureeventhub azuremonitor bigip carbon chrony ciscoos cloudflare cloudfoundry collectd couchdb docker_stats
    dotnet_diagnostics elasticsearch envoyals expvar faro file filelog filestats flinkmetrics fluentforward github gitlab gitprovider
    googlecloudmonitoring googlecloudpubsub googlecloudpubsubpush googlecloudspanner haproxy hostmetrics httpcheck icmpcheck
    icmpcheckreceiver iis influxdb jmx journald k8s_cluster k8s_events k8slog k8sobjects kafka kafkametrics kubeletstats libhoney loki
    macosunifiedlogging memcached mongodb mongodbatlas mysql named_pipe netflow nginx nsxt ntp obi oracledb osquery otelarrow
    otlpjsonfile podman_stats postgresql pprof prometheus prometheus_exec prometheus_simple prometheusremotewrite pulsar purefa purefb
    rabbitmq receiver_creator redfish redis riak saphana signalfx simple_prometheus snmp snowflake solace splunk_hec splunkenterprise
    sqlquery sqlserver sshcheck statsd stef syslog systemd tcpcheck tcplog tlscheck udplog vcenter vcr wavefront webhookevent
    windowseventlog windowsperfcounters windowsservice yanggrpc zookeeper
";

const PROCESSORS: &str = "
    adaptive_tail_sampling cardinality_guardian coralogix cumulativetodelta deltatocumulative deltatorate drain
    experimental_metricsgeneration genai_normalizer geoip groupbyattrs groupbytrace interval isolationforest log_dedup lookup
    metricsgeneration metricstarttime metricstransform remoteobserver remotetap rollingspanlatency routing schema servicegraph
    spanmetrics spanpruning sumologic unroll
";

const EXPORTERS: &str = "
    alertmanager alibabacloud_logservice awscloudwatchlogs awsemf awskinesis awsprometheusremotewrite awss3 azureblob
    azuredataexplorer azuremonitor bmchelix carbon cassandra clickhouse coralogix dataset doris elasticsearch f5cloud faro file
    googlecloud googlecloudpubsub googlecloudstorage googlemanagedprometheus honeycombmarker humio influxdb kafka loadbalancing
    logicmonitor logzio mezmo opensearch otelarrow otlpjson parquet prometheus pulsar rabbitmq sapm sentry signalfx skywalking
    splunk_hec stackdriver stef sumologic syslog tencentcloud_logservice tinybird
";

const CONNECTORS: &str = "
    count exceptions failover grafanacloud metricsaslogs otlpjson roundrobin routing servicegraph signaltometrics slowsql spanmetrics
    sum
";

const EXTENSIONS: &str = "
    ack avro_log_encoding awscloudwatchmetricstreams_encoding awsiamdbauth awslogs_encoding awsproxy azure_encoding cfgarden_observer
    datadog docker_observer ecs_observer ecs_task_observer fluentbit googlecloudlogentry_encoding host_observer http_forwarder
    jaeger_encoding jaegerremotesampling json_log_encoding k8s_leader_elector k8s_observer kafkatopics_observer memory_limiter oidc
    opamp otlp_encoding pebble_tail_storage remotetap sdnotify skywalking_encoding solarwindsapmsettings sumologic text_encoding
    zipkin_encoding
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_listed_once_and_is_a_type() {
        for kind in [Receiver, Processor, Exporter, Connector, Extension] {
            let instead = INSTEAD.iter().filter(|(of, ..)| *of == kind);
            let instead = instead.flat_map(|(_, names, _)| names.split(' '));
            let ignored = IGNORED.iter().filter(|_| kind == Extension).map(|(name, _)| *name);
            let all: Vec<&str> =
                types(kind).split_ascii_whitespace().chain(instead).chain(ignored).collect();
            for (at, name) in all.iter().enumerate() {
                assert!(name.parse::<crate::ComponentId>().is_ok(), "{name}");
                let twice = all.iter().skip(at + 1).any(|other| is_same(name, other));
                assert!(!twice, "{name} stands twice among the {}", kind.section());
            }
        }
    }
}
