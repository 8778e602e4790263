//! The function that this process is beside.

use std::sync::OnceLock;

/// What is known of the function: its variables from the start, its account and ARN as soon as the platform has told them. The
/// lifecycle provides it to the components.
#[derive(Debug, Default)]
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
    account_id: OnceLock<String>,
    arn: OnceLock<String>,
}

impl Function {
    /// The function that these variables describe; nothing where they describe none. An empty variable counts as not set.
    pub fn of(lookup: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        Some(Self {
            name: get("AWS_LAMBDA_FUNCTION_NAME")?,
            version: get("AWS_LAMBDA_FUNCTION_VERSION"),
            memory_mib: get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.parse().ok()),
            region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")),
            initialization_type: get("AWS_LAMBDA_INITIALIZATION_TYPE"),
            account_id: OnceLock::new(),
            arn: OnceLock::new(),
        })
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
        Function::of(lookup).unwrap()
    }

    #[test]
    fn variables_describe_a_function_or_none() {
        let function = function("eu-west-1");
        assert_eq!((function.name.as_str(), function.memory_mib), ("orders", Some(128)));
        assert_eq!((function.version.as_deref(), function.arn()), (None, None));
        assert!(Function::of(|_| None).is_none());
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
