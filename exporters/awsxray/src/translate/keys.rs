//! The attribute keys that mean something to X-Ray, old conventions and stable ones.

pdata::known_keys! {
    /// An attribute key with a meaning. Those of a block stand together: first those that `http` uses up, then `aws`, then `sql`.
    pub(super) enum Key {
        HttpMethod = "http.method",
        HttpRequestMethod = "http.request.method",
        HttpClientIp = "http.client_ip",
        HttpUserAgent = "http.user_agent",
        UserAgentOriginal = "user_agent.original",
        HttpStatusCode = "http.status_code",
        HttpResponseStatusCode = "http.response.status_code",
        HttpUrl = "http.url",
        UrlFull = "url.full",
        HttpScheme = "http.scheme",
        UrlScheme = "url.scheme",
        HttpHost = "http.host",
        HttpTarget = "http.target",
        HttpServerName = "http.server_name",
        NetHostPort = "net.host.port",
        UrlPath = "url.path",
        UrlQuery = "url.query",
        HostName = "host.name",
        NetHostName = "net.host.name",
        NetPeerName = "net.peer.name",
        NetPeerPort = "net.peer.port",
        NetPeerIp = "net.peer.ip",
        NetworkPeerAddress = "network.peer.address",
        ClientAddress = "client.address",
        ServerAddress = "server.address",
        ServerPort = "server.port",

        AwsOperation = "aws.operation",
        RpcMethod = "rpc.method",
        AwsAccountId = "aws.account_id",
        AwsRegion = "aws.region",
        AwsRequestId = "aws.request_id",
        AwsRequestIdOld = "aws.requestId",
        AwsQueueUrl = "aws.queue_url",
        AwsQueueUrlOld = "aws.queue.url",
        AwsTableName = "aws.table_name",
        AwsTableNameOld = "aws.table.name",

        DbSystem = "db.system",
        DbSystemName = "db.system.name",
        DbName = "db.name",
        DbNamespace = "db.namespace",
        DbConnectionString = "db.connection_string",
        DbStatement = "db.statement",
        DbQueryText = "db.query.text",
        DbUser = "db.user",

        AwsLocalService = "aws.local.service",
        AwsRemoteService = "aws.remote.service",
        AwsRemoteOperation = "aws.remote.operation",
        RemoteTarget = "remoteTarget",
        K8sRemoteNamespace = "K8s.RemoteNamespace",
        AwsSpanKind = "aws.span.kind",
        AwsService = "aws.service",
        AwsSqsQueueUrl = "aws.sqs.queue.url",
        AwsDynamodbTableNames = "aws.dynamodb.table_names",
        CloudRegion = "cloud.region",
        MessagingUrl = "messaging.url",
        MessageType = "message.type",
        MessagePayloadSize = "messaging.message_payload_size_bytes",
        HttpResponseBodySize = "http.response.body.size",
        HttpResponseContentLength = "http.response_content_length",
        HttpStatusText = "http.status_text",
        PeerService = "peer.service",
        ServicePeerName = "service.peer.name",
        RpcSystem = "rpc.system",
        RpcSystemName = "rpc.system.name",
        RpcService = "rpc.service",
        EnduserId = "enduser.id",
        XrayAnnotations = "aws.xray.annotations",
        XrayInProgress = "aws.xray.inprogress",
        XrayForwardedFor = "aws.xray.x_forwarded_for",
        XrayTraced = "aws.xray.traced",
        XrayRetries = "aws.xray.retries",
        XrayCause = "aws.xray.cause",
        XrayDocument = "aws.xray.document",
        XrayOrigin = "aws.xray.origin",
        XrayResourceArn = "aws.xray.resource_arn",

        ServiceName = "service.name",
        ServiceVersion = "service.version",
        ServiceNamespace = "service.namespace",
        ServiceInstanceId = "service.instance.id",
        ContainerName = "container.name",
        ContainerId = "container.id",
        ContainerImageTags = "container.image.tags",
        ContainerImageTag = "container.image.tag",
        CloudProvider = "cloud.provider",
        CloudPlatform = "cloud.platform",
        CloudAccountId = "cloud.account.id",
        CloudAvailabilityZone = "cloud.availability_zone",
        HostId = "host.id",
        HostType = "host.type",
        HostImageId = "host.image.id",
        K8sPodName = "k8s.pod.name",
        K8sClusterName = "k8s.cluster.name",
        AwsEcsClusterArn = "aws.ecs.cluster.arn",
        AwsEcsContainerArn = "aws.ecs.container.arn",
        AwsEcsTaskArn = "aws.ecs.task.arn",
        AwsEcsTaskFamily = "aws.ecs.task.family",
        AwsEcsLaunchtype = "aws.ecs.launchtype",
        AwsLogGroupNames = "aws.log.group.names",
        AwsLogGroupArns = "aws.log.group.arns",
        TelemetrySdkName = "telemetry.sdk.name",
        TelemetrySdkLanguage = "telemetry.sdk.language",
        TelemetrySdkVersion = "telemetry.sdk.version",
        TelemetryAutoVersion = "telemetry.auto.version",
        TelemetryDistroVersion = "telemetry.distro.version",
    }
}

/// What uses an attribute of a span up, so that it is no metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// `http`, whether there is such a block or not.
    Http,
    /// `aws`, whether there is such a block or not.
    Aws,
    /// `sql`, if the database is one of SQL.
    Sql,
    /// Nothing, or a rule of its own.
    None,
}

impl Key {
    /// The block that uses it up.
    #[inline]
    pub(super) fn block(self) -> Block {
        let number = self as u8;
        if number <= Key::ServerPort as u8 {
            Block::Http
        } else if number <= Key::AwsTableNameOld as u8 {
            Block::Aws
        } else if number <= Key::DbUser as u8 {
            Block::Sql
        } else {
            Block::None
        }
    }
}
