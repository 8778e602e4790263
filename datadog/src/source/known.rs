//! The attributes that say where telemetry comes from, read in one walk.

use std::borrow::Cow;

use pdata::text::to_text;
use pdata::view::{AnyValue, Attributes};

use super::{Platform, Serverless};

/// Declares the attributes that are looked for, and the walk that finds the first of each.
macro_rules! known {
    ($($field:ident: $key:literal,)*) => {
        /// The first value of each attribute that matters here.
        #[derive(Clone, Copy, Default)]
        pub(crate) struct Known<'a> {
            $($field: Option<AnyValue<'a>>,)*
            /// Whether some attribute's key starts with `faas.`.
            faas: bool,
        }

        impl<'a> Known<'a> {
            /// Walks over a resource's attributes once.
            pub(crate) fn of(resource: &Attributes<'a>) -> Self {
                let mut known = Self::default();
                for attribute in resource.iter() {
                    let key = attribute.key.as_bytes();
                    let slot = match key {
                        $($key => &mut known.$field,)*
                        _ => {
                            known.faas |= key.starts_with(b"faas.");
                            continue;
                        }
                    };
                    slot.get_or_insert(attribute.value);
                }
                let faas = [known.faas_id, known.faas_name, known.faas_instance, known.faas_version];
                known.faas |= faas.iter().any(Option::is_some);
                known
            }
        }
    };
}

known! {
    host: b"host",
    datadog_host: b"datadog.host.name",
    provider: b"cloud.provider",
    platform: b"cloud.platform",
    account: b"cloud.account.id",
    region: b"cloud.region",
    resource_id: b"cloud.resource_id",
    launch_type: b"aws.ecs.launchtype",
    task_arn: b"aws.ecs.task.arn",
    faas_id: b"faas.id",
    faas_name: b"faas.name",
    faas_instance: b"faas.instance",
    faas_version: b"faas.version",
    job_execution: b"gcp.cloud_run.job.execution",
    job_task: b"gcp.cloud_run.job.task_index",
    app_instance: b"azure.container_app.instance.id",
    azure_group: b"azure.resource_group.name",
    service: b"service.name",
    service_instance: b"service.instance.id",
    node: b"k8s.node.name",
    cluster: b"k8s.cluster.name",
    host_id: b"host.id",
    host_name: b"host.name",
}

/// The text of a value; empty when it is no string or not there.
fn text(value: Option<AnyValue<'_>>) -> &str {
    match value {
        Some(AnyValue::Str(text)) => text.as_str(),
        _ => "",
    }
}

/// Whether a value is one of these texts, whatever the case of its letters.
fn is(value: Option<AnyValue<'_>>, words: &[&str]) -> bool {
    let text = text(value);
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

impl<'a> Known<'a> {
    /// The platform without hosts that the resource names, if it does.
    pub(super) fn serverless(&self) -> Option<Serverless<'a>> {
        let found = |platform, identity| Some(Serverless { platform, identity });
        let azure_app = || {
            let all = [self.service, self.account, self.azure_group];
            all.iter().all(|part| !text(*part).is_empty()).then(|| text(self.service))
        };
        if is(self.platform, &["azure.functions", "azure_functions"])
            && let Some(app) = azure_app()
        {
            return found(Platform::AzureFunctions, app);
        }
        if is(self.platform, &["gcp_cloud_functions"]) {
            return found(Platform::CloudFunctions, self.google_instance());
        }
        if is(self.platform, &["gcp_cloud_run"]) {
            return found(Platform::CloudRun, self.google_instance());
        }
        if is(self.platform, &["azure.app_service", "azure_app_service"])
            && let Some(app) = azure_app()
        {
            return found(Platform::AzureAppService, app);
        }
        if is(self.platform, &["azure.container_apps", "azure_container_apps"]) {
            return found(Platform::AzureContainerApps, self.container_app());
        }
        if self.on_fargate()
            && let Some(arn) = self.task_arn
        {
            return found(Platform::EcsFargate, text(Some(arn)));
        }
        self.lambda()
    }

    /// What identifies an app of Azure App Service, or a service or function of Google's, as tags.
    pub(crate) fn platform_tags(&self, mut tag: impl FnMut(&'static str, &'a str)) {
        match self.serverless() {
            Some(Serverless { platform: Platform::AzureAppService, .. }) => {
                tag("name", text(self.service));
                tag("subscription_id", text(self.account));
                tag("resource_group", text(self.azure_group));
            }
            Some(Serverless {
                platform: Platform::CloudRun | Platform::CloudFunctions,
                identity,
            }) if !identity.is_empty() => {
                tag("project_id", text(self.account));
                tag("location", text(self.region));
                tag("service_name", text(self.faas_name));
                tag("instance", identity);
                if !text(self.faas_version).is_empty() {
                    tag("revision_name", text(self.faas_version));
                }
            }
            _ => {}
        }
    }

    /// The host that the resource names, if it does.
    pub(super) fn host(&self) -> Option<Cow<'a, str>> {
        let borrowed = |value| Some(Cow::Borrowed(text(Some(value))));
        if let Some(host) = self.host {
            // Of any type: where resource attributes become tags, this one must not be seen twice.
            return match host {
                AnyValue::Str(host) => Some(Cow::Borrowed(host.as_str())),
                other => Some(Cow::Owned(to_text(&other))),
            };
        }
        if let Some(host) = self.datadog_host {
            return borrowed(host);
        }
        if self.on_fargate() {
            return None;
        }
        match text(self.provider) {
            "aws" => return self.host_id.and_then(borrowed),
            "gcp" => return self.google_host().map(Cow::Owned),
            "azure" => return self.host_id.or(self.host_name).and_then(borrowed),
            _ => {}
        }
        if let Some(node) = self.node {
            let node = text(Some(node));
            return Some(match self.cluster {
                // Providers say it in other ways, too, but name the host themselves.
                Some(cluster) => Cow::Owned(format!("{node}-{}", text(Some(cluster)))),
                None => Cow::Borrowed(node),
            });
        }
        self.host_id.or(self.host_name).and_then(borrowed)
    }

    fn on_fargate(&self) -> bool {
        is(self.launch_type, &["fargate"])
    }

    /// A function on Lambda. Upstream wants its ARN, which few detectors know before the first invocation; the platform is enough to
    /// know that there is no host.
    fn lambda(&self) -> Option<Serverless<'a>> {
        let on_lambda = text(self.provider) == "aws"
            && (is(self.platform, &["aws_lambda"])
                || !text(self.faas_id).is_empty()
                || self.faas && !text(self.resource_id).is_empty());
        if !on_lambda {
            return None;
        }
        let arn = match text(self.faas_id) {
            "" => text(self.resource_id),
            id => id,
        };
        match unqualified_function(arn) {
            Some(identity) => Some(Serverless { platform: Platform::Lambda, identity }),
            None => is(self.platform, &["aws_lambda"])
                .then_some(Serverless { platform: Platform::Lambda, identity: "" }),
        }
    }

    /// The instance of a Cloud Run service or function; empty for jobs, and where the resource does not say enough.
    fn google_instance(&self) -> &'a str {
        let of_job = self.job_execution.is_some() || self.job_task.is_some();
        let parts = [self.account, self.region, self.faas_name, self.faas_instance];
        if of_job || parts.iter().any(|part| text(*part).is_empty()) {
            return "";
        }
        text(self.faas_instance)
    }

    /// The replica of an Azure container app, or else the app.
    fn container_app(&self) -> &'a str {
        [self.app_instance, self.service_instance, self.service]
            .into_iter()
            .map(text)
            .chain(text(self.resource_id).split('/').nth(8))
            .find(|name| !name.is_empty())
            .unwrap_or_default()
    }

    /// `<instance>.<project>`, where the instance is the first label of a name of at least four.
    fn google_host(&self) -> Option<String> {
        let (name, project) = (text(Some(self.host_name?)), text(Some(self.account?)));
        let name = match name.split_once('.') {
            Some((first, rest)) if rest.matches('.').count() >= 2 => first,
            _ => name,
        };
        Some(format!("{name}.{project}"))
    }
}

/// The first seven parts of a function's ARN.
fn unqualified_function(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn_word, _partition, service) = (next(), next(), next());
    let (_region, _account, kind) = (next(), next(), next());
    if arn_word != "arn" || service != "lambda" || kind != "function" {
        return None;
    }
    parts.next()?;
    match arn.match_indices(':').nth(6) {
        Some((end, _)) => arn.get(..end),
        None => Some(arn),
    }
}
