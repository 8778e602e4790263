//! The function that this process is beside.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use crate::trace_context::TraceContext;

/// Traces that are remembered: those whose spans may still wait to be sent.
const TRACES_MAX: usize = 64;

/// How long after its start an environment may be invoked first and the invocation still be one that waited for it: the time that an
/// init may take. Later, Lambda has started it ahead of time.
const WAITED_FOR: Duration = Duration::from_secs(10);

/// What is known of the function: its variables from the start, its account and ARN as soon as the platform has told them. The
/// lifecycle provides it to the components.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its version: `$LATEST`, or a number.
    pub version: Option<String>,
    /// Its memory, in MiB.
    pub memory_mib: Option<u64>,
    /// The region.
    pub region: Option<String>,
    /// How its environment came to be: `on-demand`, `provisioned-concurrency`, `snap-start` or `lambda-managed-instances`.
    pub initialization_type: Option<String>,
    started: SystemTime,
    account_id: OnceLock<String>,
    arn: OnceLock<String>,
    first: OnceLock<FirstInvocation>,
    traces: Mutex<VecDeque<[u8; 16]>>,
}

/// The first invocation of this environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstInvocation {
    /// Its id.
    pub request_id: String,
    /// Whether it waited for the environment's start.
    pub is_cold_start: bool,
}

impl Function {
    /// The function that these variables describe, whose environment starts now; nothing where they describe none. An empty variable
    /// counts as not set.
    pub fn of(lookup: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        Some(Self {
            name: get("AWS_LAMBDA_FUNCTION_NAME")?,
            version: get("AWS_LAMBDA_FUNCTION_VERSION"),
            memory_mib: get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.parse().ok()),
            region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")),
            initialization_type: get("AWS_LAMBDA_INITIALIZATION_TYPE"),
            started: SystemTime::now(),
            account_id: OnceLock::new(),
            arn: OnceLock::new(),
            first: OnceLock::new(),
            traces: Mutex::default(),
        })
    }

    /// The same with another time at which its environment started.
    #[must_use]
    pub fn started_at(self, started: SystemTime) -> Self {
        Self { started, ..self }
    }

    /// Notes the account that registering has told.
    pub fn set_account_id(&self, account_id: &str) {
        if !account_id.is_empty() {
            let _first = self.account_id.set(account_id.to_owned());
        }
    }

    /// Notes the ARN that an invocation has told, without the version or alias at its end.
    pub fn set_arn(&self, invoked: &str) {
        let parts: Vec<&str> = invoked.split(':').collect();
        if let ["arn", _, "lambda", _, account, "function", name, ..] = parts.as_slice()
            && !name.is_empty()
        {
            self.set_account_id(account);
            let end = invoked
                .len()
                .min(parts.iter().take(7).map(|part| part.len() + 1).sum::<usize>() - 1);
            let _first = self.arn.set(invoked.get(..end).unwrap_or(invoked).to_owned());
        }
    }

    /// Notes an invocation; the first is remembered. A snapshot is from long before any invocation, which waits for its restore.
    pub fn invoked(&self, request_id: &str, now: SystemTime) {
        let _first = self.first.get_or_init(|| {
            let waited = now.duration_since(self.started).unwrap_or_default() <= WAITED_FOR;
            let is_cold_start = match self.initialization_type.as_deref() {
                Some("snap-start") => true,
                Some("provisioned-concurrency") => false,
                _ => waited,
            };
            FirstInvocation { request_id: request_id.to_owned(), is_cold_start }
        });
    }

    /// Notes the trace that an invocation belongs to in X-Ray, from the value of its `X-Amzn-Trace-Id` header. One that X-Ray does not record is
    /// of no use.
    pub fn traced(&self, header: &str) {
        let Some(context) = TraceContext::parse(header) else { return };
        if context.is_sampled != Some(true) {
            return;
        }
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        if !traces.contains(&context.trace_id) {
            if traces.len() >= TRACES_MAX {
                traces.pop_front();
            }
            traces.push_back(context.trace_id);
        }
    }

    /// Whether a trace is that of one of the latest invocations, so that X-Ray has a segment of Lambda's own in it.
    pub fn is_in_trace(&self, trace_id: &[u8; 16]) -> bool {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner).contains(trace_id)
    }

    /// The first invocation, once there was one that the platform has told.
    pub fn first_invocation(&self) -> Option<&FirstInvocation> {
        self.first.get()
    }

    /// The account, once it is known.
    pub fn account_id(&self) -> Option<&str> {
        self.account_id.get().map(String::as_str)
    }

    /// The ARN without version or alias, once it is known or can be put together.
    pub fn arn(&self) -> Option<String> {
        if let Some(arn) = self.arn.get() {
            return Some(arn.clone());
        }
        let (region, account) = (self.region.as_deref()?, self.account_id()?);
        let partition = match region.split('-').next() {
            Some("cn") => "aws-cn",
            Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Some(format!("arn:{partition}:lambda:{region}:{account}:function:{}", self.name))
    }

    /// Whether it runs on Managed Instances: several invocations at once, and no end of one is told.
    pub fn is_managed(&self) -> bool {
        self.initialization_type.as_deref() == Some("lambda-managed-instances")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(region: &str) -> Function {
        let variables = [
            ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", ""),
            ("AWS_REGION", region),
        ];
        let lookup = |wanted: &str| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, v)| (*v).to_owned())
        };
        Function::of(lookup).unwrap().started_at(SystemTime::UNIX_EPOCH + Duration::from_secs(100))
    }

    #[test]
    fn variables_describe_a_function_or_none() {
        let function = function("eu-west-1");
        assert_eq!((function.name.as_str(), function.memory_mib), ("orders", Some(128)));
        assert_eq!((function.version.as_deref(), function.arn()), (None, None));
        assert!(Function::of(|_| None).is_none());
    }

    #[test]
    fn first_invocation_is_a_cold_start_unless_the_environment_was_started_ahead_of_time() {
        let second = |second| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        let is_cold = |initialization: &str, after: u64| {
            let function = Function {
                initialization_type: Some(initialization.to_owned()),
                ..function("eu-west-1")
            };
            assert_eq!(function.first_invocation(), None);
            function.invoked("1", second(100 + after));
            function.invoked("2", second(100));
            let first = function.first_invocation().unwrap();
            assert_eq!(first.request_id, "1");
            first.is_cold_start
        };
        assert!(is_cold("on-demand", 1));
        assert!(!is_cold("on-demand", 60));
        assert!(!is_cold("provisioned-concurrency", 1));
        assert!(is_cold("snap-start", 3600));
    }

    #[test]
    fn traces_that_x_ray_records_are_remembered_for_a_while() {
        let function = function("eu-west-1");
        let header = |number: u8, rest: &str| {
            format!("Root=1-00000000-0000000000000000000001{number:02x};{rest}")
        };
        let trace = |number: u8| {
            let mut id = [0; 16];
            (id[14], id[15]) = (1, number);
            id
        };
        function.traced(&header(1, "Sampled=1"));
        function.traced(&header(2, "Sampled=0"));
        function.traced(&header(3, "Parent=53995c3f42cd8ad8"));
        function.traced("nothing");
        let known = [1, 2, 3].map(|number| function.is_in_trace(&trace(number)));
        assert_eq!(known, [true, false, false]);
        for number in 10..74 {
            function.traced(&header(number, "Sampled=1"));
            function.traced(&header(number, "Sampled=1"));
        }
        let known = [1, 10, 73].map(|number| function.is_in_trace(&trace(number)));
        assert_eq!(known, [false, true, true]);
    }

    #[test]
    fn arn_is_put_together_from_the_account_until_an_invocation_tells_it() {
        let mainland = function("cn-north-1");
        mainland.set_account_id("123456789012");
        let arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:orders";
        assert_eq!(mainland.arn().as_deref(), Some(arn));

        let function = function("eu-west-1");
        function.set_arn("not an arn");
        assert_eq!(function.arn(), None);
        function.set_arn("arn:aws:lambda:eu-west-1:123456789012:function:orders:prod");
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
        assert_eq!(function.arn().as_deref(), Some(arn));
        assert_eq!(function.account_id(), Some("123456789012"));
    }
}
