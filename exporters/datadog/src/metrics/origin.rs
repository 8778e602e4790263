//! Which of the Collector's receivers made a metric: `origin_service`.
//!
//! Numbers are those of DataDog/datadog-agent `pkg/serializer/internal/metrics/origin_mapping.go`, names those of
//! `pkg/opentelemetry-mapping-go/otlp/metrics/origin.go`, both at 0.84.

/// What the names of the scopes of the Collector's receivers begin with.
const PREFIX: &[u8] = b"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/";

/// The number of the receiver whose scope has this name; 0 for all others.
pub(crate) fn service(scope: &[u8]) -> u32 {
    let Some(receiver) = scope.strip_prefix(PREFIX) else { return 0 };
    let end = receiver.iter().position(|byte| *byte == b'/').unwrap_or(receiver.len());
    let name = receiver.get(..end).and_then(|name| name.strip_suffix(b"receiver"));
    match name.unwrap_or_default() {
        b"dockerstats" => 217,
        b"elasticsearch" => 218,
        b"expvar" => 219,
        b"filestats" => 220,
        b"flinkmetrics" => 221,
        b"gitprovider" => 222,
        b"haproxy" => 223,
        b"hostmetrics" => 224,
        b"httpcheck" => 225,
        b"iis" => 226,
        b"k8scluster" => 227,
        b"kafkametrics" => 228,
        b"kubeletstats" => 229,
        b"memcached" => 230,
        b"mongodbatlas" => 231,
        b"mongodb" => 232,
        b"mysql" => 233,
        b"nginx" => 234,
        b"nsxt" => 235,
        b"oracledb" => 236,
        b"postgresql" => 237,
        b"prometheus" => 238,
        b"rabbitmq" => 239,
        b"redis" => 240,
        b"riak" => 241,
        b"saphana" => 242,
        b"snmp" => 243,
        b"snowflake" => 244,
        b"splunkenterprise" => 245,
        b"sqlserver" => 246,
        b"sshcheck" => 247,
        b"statsd" => 248,
        b"vcenter" => 249,
        b"zookeeper" => 250,
        b"activedirectoryds" => 251,
        b"aerospike" => 252,
        b"apache" => 253,
        b"apachespark" => 254,
        b"azuremonitor" => 255,
        b"bigip" => 256,
        b"chrony" => 257,
        b"couchdb" => 258,
        b"podman" => 521,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::service;

    #[test]
    fn receivers_are_told_by_the_names_of_their_scopes() {
        let scope = |rest: &str| service([PREFIX, rest.as_bytes()].concat().as_slice());
        use super::PREFIX;
        assert_eq!(scope("kubeletstatsreceiver"), 229);
        assert_eq!(scope("hostmetricsreceiver/internal/scraper/diskscraper"), 224);
        assert_eq!(scope("podmanreceiver"), 521);
        for unknown in ["", "kubeletstats", "otherreceiver", "receiver"] {
            assert_eq!(scope(unknown), 0, "{unknown}");
        }
        assert_eq!(service(b"my/receiver/redisreceiver"), 0);
    }
}
