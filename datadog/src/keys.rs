//! The attribute keys that mean something to Datadog, and a fast way to tell them from others.

/// Declares [`Key`], and which keys are peer tags.
macro_rules! keys {
    ($($(#[peer = $peer:literal])? $variant:ident = $text:literal,)+) => {
        pdata::known_keys! {
            /// An attribute key with a meaning.
            pub enum Key {
                $($variant = $text,)+
            }
        }

        const IS_PEER: [bool; Key::COUNT] = [$(false $(|| $peer)?,)+];
    };
}

// The keys of DataDog/datadog-agent `pkg/trace/semantics/mappings.json` that its OTLP path looks up. Those marked are the sources of
// peer tags of `pkg/trace/config/peer_tags.go`.
keys! {
    ServiceName = "service.name",
    ServiceVersion = "service.version",
    OperationName = "operation.name",
    ResourceName = "resource.name",
    SpanType = "span.type",
    SpanKind = "span.kind",
    AnalyticsEvent = "analytics.event",
    SamplingPriority = "sampling.priority",
    SampleRate = "_sample_rate",
    Measured = "_dd.measured",
    TopLevel = "_dd.top_level",
    Origin = "_dd.origin",
    Hostname = "_dd.hostname",
    PartialVersion = "_dd.partial_version",
    #[peer = true] BaseService = "_dd.base_service",
    Env = "env",
    Version = "version",
    DeploymentEnvironmentName = "deployment.environment.name",
    DeploymentEnvironment = "deployment.environment",
    ErrorMsg = "error.msg",
    HttpRequestMethod = "http.request.method",
    HttpMethod = "http.method",
    HttpRoute = "http.route",
    HttpResponseStatusCode = "http.response.status_code",
    HttpStatusCode = "http.status_code",
    HttpUrl = "http.url",
    UrlFull = "url.full",
    UrlTemplate = "url.template",
    ClientAddress = "client.address",
    ResponseBodySize = "http.response.body.size",
    RequestBodySize = "http.request.body.size",
    RequestHeaderReferrer = "http.request.header.referrer",
    NetworkProtocolVersion = "network.protocol.version",
    UserAgentOriginal = "user_agent.original",
    GrpcStatusCode = "rpc.grpc.status_code",
    GrpcCode = "grpc.code",
    RpcGrpcStatusDotCode = "rpc.grpc.status.code",
    GrpcStatusDotCode = "grpc.status.code",
    RpcResponseStatusCode = "rpc.response.status_code",
    RpcSystemName = "rpc.system.name",
    RpcMethod = "rpc.method",
    MessagingOperation = "messaging.operation",
    MessagingOperationType = "messaging.operation.type",
    FaasInvokedProvider = "faas.invoked_provider",
    FaasInvokedName = "faas.invoked_name",
    FaasTrigger = "faas.trigger",
    GraphqlOperationType = "graphql.operation.type",
    GraphqlOperationName = "graphql.operation.name",
    NetworkProtocolName = "network.protocol.name",
    DbStatement = "db.statement",
    DbQueryText = "db.query.text",
    SqlQuery = "sql.query",
    ContainerId = "container.id",
    TelemetrySdkLanguage = "telemetry.sdk.language",
    TelemetrySdkVersion = "telemetry.sdk.version",
    GitCommitSha = "_dd.git.commit.sha",
    #[peer = true] PeerService = "peer.service",
    #[peer = true] PeerHostname = "peer.hostname",
    #[peer = true] HostnameTag = "hostname",
    #[peer = true] NetPeerName = "net.peer.name",
    #[peer = true] DbHostname = "db.hostname",
    #[peer = true] NetworkDestinationName = "network.destination.name",
    #[peer = true] NetworkDestinationIp = "network.destination.ip",
    #[peer = true] GrpcHost = "grpc.host",
    #[peer = true] HttpHost = "http.host",
    #[peer = true] ServerAddress = "server.address",
    #[peer = true] HttpServerName = "http.server_name",
    #[peer = true] OutHost = "out.host",
    #[peer = true] DnsHostname = "dns.hostname",
    #[peer = true] DbName = "db.name",
    #[peer = true] MongodbDb = "mongodb.db",
    #[peer = true] DbInstance = "db.instance",
    #[peer = true] CassandraKeyspace = "cassandra.keyspace",
    #[peer = true] DbNamespace = "db.namespace",
    #[peer = true] DbSystemName = "db.system.name",
    #[peer = true] DbSystem = "db.system",
    #[peer = true] ActiveRecordDbVendor = "active_record.db.vendor",
    #[peer = true] DbType = "db.type",
    #[peer = true] SequelDbVendor = "sequel.db.vendor",
    #[peer = true] CassandraContactPoints = "db.cassandra.contact.points",
    #[peer = true] CouchbaseSeedNodes = "db.couchbase.seed.nodes",
    #[peer = true] TopicName = "topicname",
    #[peer = true] MessagingDestination = "messaging.destination",
    #[peer = true] MessagingDestinationName = "messaging.destination.name",
    #[peer = true] RabbitmqExchange = "messaging.rabbitmq.exchange",
    #[peer = true] AmqpDestination = "amqp.destination",
    #[peer = true] AmqpQueue = "amqp.queue",
    #[peer = true] AmqpExchange = "amqp.exchange",
    #[peer = true] MsmqQueuePath = "msmq.queue.path",
    #[peer = true] AwsQueueName = "aws.queue.name",
    #[peer = true] MessagingSystem = "messaging.system",
    #[peer = true] KafkaBootstrapServers = "messaging.kafka.bootstrap.servers",
    #[peer = true] RpcService = "rpc.service",
    #[peer = true] RpcSystem = "rpc.system",
    #[peer = true] BucketName = "bucketname",
    #[peer = true] AwsS3Bucket = "aws.s3.bucket",
    #[peer = true] QueueName = "queuename",
    #[peer = true] TableName = "tablename",
    #[peer = true] StreamName = "streamname",
}

impl Key {
    /// Whether it is a peer tag without being configured as one.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "the table has an entry for each variant")]
    pub const fn is_peer(self) -> bool {
        IS_PEER[self as usize]
    }

    /// What an attribute of this key is called in Datadog, where that is something else: `HTTPMappings` of DataDog/datadog-agent
    /// `pkg/opentelemetry-mapping-go/otlp/attributes`.
    pub fn renamed(self) -> Option<&'static str> {
        Some(match self {
            Key::ClientAddress => "http.client_ip",
            Key::ResponseBodySize => "http.response.content_length",
            Key::HttpResponseStatusCode => "http.status_code",
            Key::RequestBodySize => "http.request.content_length",
            Key::RequestHeaderReferrer => "http.referrer",
            Key::HttpRequestMethod => "http.method",
            Key::NetworkProtocolVersion => "http.version",
            Key::ServerAddress => "http.server_name",
            Key::UrlFull => "http.url",
            Key::UserAgentOriginal => "http.useragent",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_text_and_no_other_text() {
        for &key in Key::ALL {
            assert_eq!(Key::of(key.text().as_bytes()), Some(key));
            for other in [format!("{}x", key.text()), format!("x{}", key.text())] {
                assert_eq!(Key::of(other.as_bytes()), None, "{other}");
            }
        }
        assert_eq!(Key::of(b""), None);
        assert_eq!(Key::of(b"app.rows"), None);
    }

    #[test]
    fn peer_tags_are_those_of_the_agent() {
        // `ConfiguredPeerTags` of DataDog/datadog-agent `pkg/trace/config` 0.83.0 without settings.
        assert_eq!(Key::ALL.iter().filter(|key| key.is_peer()).count(), 44);
    }
}
