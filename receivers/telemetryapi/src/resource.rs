//! What the telemetry is about: the function.

use std::sync::Arc;

use aws::Environment;
use lambda::Function;

use crate::ids;
use crate::otlp::{put_int, put_text};

/// The function as a resource.
#[derive(Debug)]
pub(crate) struct Resource {
    service_name: String,
    function_name: Option<String>,
    version: Option<String>,
    memory_mib: Option<u64>,
    region: Option<String>,
    instance_id: String,
    /// What the platform has told since, when the extension knows it.
    function: Option<Arc<Function>>,
}

impl Resource {
    /// The resource of these variables.
    pub(crate) fn new(environment: &Environment, function: Option<Arc<Function>>) -> Self {
        let function_name = environment.get("AWS_LAMBDA_FUNCTION_NAME");
        let service_name = environment.get("OTEL_SERVICE_NAME");
        let service_name = service_name.or_else(|| function_name.clone());
        let memory = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
        Self {
            service_name: service_name.unwrap_or_else(|| "unknown_service".to_owned()),
            function_name,
            version: environment.get("AWS_LAMBDA_FUNCTION_VERSION"),
            memory_mib: memory.and_then(|memory| memory.parse().ok()),
            region: environment.get("AWS_REGION"),
            instance_id: ids::uuid(),
            function,
        }
    }

    /// The function's name; empty where nobody has told it.
    pub(crate) fn function_name(&self) -> &str {
        self.function_name.as_deref().unwrap_or_default()
    }

    /// Takes up the name that the platform has for the function, where the variables have none.
    pub(crate) fn learn_function_name(&mut self, name: &str) {
        if self.function_name.is_none() && !name.is_empty() {
            self.function_name = Some(name.to_owned());
        }
    }

    /// The version; nothing where nobody has told it.
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Takes up the version that the platform has told.
    pub(crate) fn learn_version(&mut self, version: &str) {
        if !version.is_empty() && self.version.as_deref() != Some(version) {
            self.version = Some(version.to_owned());
        }
    }

    /// Becomes another instance of the service: this process is a copy, and others bear its id.
    pub(crate) fn renew_instance(&mut self) {
        self.instance_id = ids::uuid();
    }

    /// The inside of the `Resource`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        put_text(&mut out, 1, "cloud.provider", "aws");
        put_text(&mut out, 1, "cloud.platform", "aws_lambda");
        put_text(&mut out, 1, "faas.invoked_provider", "aws");
        put_text(&mut out, 1, "service.name", &self.service_name);
        put_text(&mut out, 1, "service.instance.id", &self.instance_id);
        let texts = [
            ("faas.name", &self.function_name),
            ("faas.version", &self.version),
            ("faas.invoked_region", &self.region),
            ("cloud.region", &self.region),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                put_text(&mut out, 1, key, text);
            }
        }
        let bytes = self.memory_mib.and_then(|mib| i64::try_from(mib.checked_mul(1 << 20)?).ok());
        if let Some(bytes) = bytes {
            put_int(&mut out, 1, "faas.max_memory", bytes);
        }
        if let Some(function) = &self.function {
            if let Some(account) = function.account_id() {
                put_text(&mut out, 1, "cloud.account.id", account);
            }
            if let Some(arn) = function.arn() {
                put_text(&mut out, 1, "cloud.resource_id", &arn);
            }
        }
        out
    }
}
