//! What a resource's telemetry comes from: a host, or a platform that has none.
//!
//! The rules are those of DataDog/datadog-agent `pkg/opentelemetry-mapping-go/otlp/attributes` 0.85 (`source.go`, `ec2/`, `gcp/`, `azure/`),
//! with the Lambda source of its main branch (`source_aws.go`). Different on purpose:
//! - `aws.ecs.launchtype` and the names of cloud platforms are compared without regard to case: the ECS metadata endpoint says `FARGATE`.
//! - A resource on Lambda or Google's serverless platforms is never given the exporter's own host, not even when it does not say which
//!   function it is.

pub(crate) mod known;

use std::borrow::Cow;

use pdata::view::Attributes;

use known::Known;

/// Host names that name no host in particular.
const NO_HOST: [&str; 6] = [
    "0.0.0.0",
    "127.0.0.1",
    "localhost",
    "localhost.localdomain",
    "localhost6.localdomain6",
    "ip6-localhost",
];

/// What telemetry comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// A host, by the name that Datadog is to show.
    Host(Cow<'a, str>),
    /// A platform without hosts. Its telemetry carries an empty host name.
    Serverless(Serverless<'a>),
}

/// Where code runs without a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serverless<'a> {
    /// The platform.
    pub platform: Platform,
    /// What identifies the task, function or app on it; empty when the resource does not say.
    pub identity: &'a str,
}

/// A platform without hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// AWS Fargate under ECS. Identified by the task's ARN.
    EcsFargate,
    /// AWS Lambda. Identified by the function's ARN without its qualifier.
    Lambda,
    /// Azure Container Apps. Identified by the replica, or else the app.
    AzureContainerApps,
    /// Azure App Service. Identified by the app.
    AzureAppService,
    /// Azure Functions. Identified by the app.
    AzureFunctions,
    /// Google Cloud Run. Identified by the instance.
    CloudRun,
    /// Google Cloud Run functions. Identified by the instance.
    CloudFunctions,
}

impl<'a> Source<'a> {
    /// What a resource with these attributes is. `None` when they do not say: then the exporter's own host counts.
    ///
    /// The first of these holds: a serverless platform; `host`; `datadog.host.name`; what the cloud provider's attributes say (none of
    /// the later ones, then); `k8s.node.name` with the cluster's name; `host.id`; `host.name`.
    pub fn of(resource: &Attributes<'a>) -> Option<Self> {
        let known = Known::of(resource);
        if let Some(serverless) = known.serverless() {
            return Some(Self::Serverless(serverless));
        }
        known.host().filter(|host| !NO_HOST.contains(&&**host)).map(Self::Host)
    }

    /// The host's name; empty on a platform without hosts.
    pub fn host(&self) -> &str {
        match self {
            Self::Host(host) => host,
            Self::Serverless(_) => "",
        }
    }
}

impl Serverless<'_> {
    /// The tag that stands for the source: `task_arn:arn:aws:ecs:…`. `None` when its identity is not known.
    pub fn tag(&self) -> Option<String> {
        (!self.identity.is_empty())
            .then(|| format!("{}:{}", self.platform.tag_key(), self.identity))
    }
}

impl Platform {
    /// The key of the tag that stands for a source of this platform.
    pub fn tag_key(self) -> &'static str {
        match self {
            Self::EcsFargate => "task_arn",
            Self::Lambda => "aws_lambda",
            Self::AzureContainerApps => "azure_container_apps",
            Self::AzureAppService => "azure_app_service",
            Self::AzureFunctions => "azure_functions",
            Self::CloudRun => "gcp_cloud_run",
            Self::CloudFunctions => "gcp_cloud_functions",
        }
    }
}

/// The host to write beside the telemetry of a resource: its own, none on a platform without hosts, or else `fallback`.
pub fn host_or<'a>(resource: &Attributes<'a>, fallback: &'a str) -> Cow<'a, str> {
    match Source::of(resource) {
        Some(Source::Host(host)) => host,
        Some(Source::Serverless(_)) => Cow::Borrowed(""),
        None => Cow::Borrowed(fallback),
    }
}

#[cfg(test)]
mod tests;
