//! A function of AWS Lambda, by its variables.

use aws::Environment;

use crate::detected::{Collector, Detected, Wanted};

/// The attributes, and whether each is on unless it is turned off.
pub(crate) const ATTRIBUTES: &[(&str, bool)] = &[
    ("aws.log.group.names", true),
    ("aws.log.stream.names", true),
    ("cloud.platform", true),
    ("cloud.provider", true),
    ("cloud.region", true),
    ("faas.instance", true),
    ("faas.max_memory", true),
    ("faas.name", true),
    ("faas.version", true),
];

/// What the variables say; nothing when this is no function.
pub(crate) fn detect(wanted: &Wanted, environment: &Environment) -> Detected {
    let Some(name) = environment.get("AWS_LAMBDA_FUNCTION_NAME") else {
        return Detected::default();
    };
    let mut found = Collector::new(wanted);
    found.text("cloud.provider", Some("aws"));
    found.text("cloud.platform", Some("aws_lambda"));
    found.text("cloud.region", environment.get("AWS_REGION"));
    found.text("faas.name", Some(name));
    found.text("faas.version", environment.get("AWS_LAMBDA_FUNCTION_VERSION"));
    let stream = environment.get("AWS_LAMBDA_LOG_STREAM_NAME");
    found.text("faas.instance", stream.as_ref());
    found.text("faas.max_memory", environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    let group = environment.get("AWS_LAMBDA_LOG_GROUP_NAME");
    found.list("aws.log.group.names", group.as_slice());
    found.list("aws.log.stream.names", stream.as_slice());
    found.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Wanted {
        Wanted::of(ATTRIBUTES.iter().map(|(name, _)| *name))
    }

    #[test]
    fn a_function_is_described_by_its_variables() {
        let environment = Environment::of([
            ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/orders"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]abc"),
            ("AWS_REGION", "eu-west-1"),
        ]);
        assert_eq!(
            detect(&all(), &environment).text(),
            [
                "cloud.provider=aws",
                "cloud.platform=aws_lambda",
                "cloud.region=eu-west-1",
                "faas.name=orders",
                "faas.version=$LATEST",
                "faas.instance=2026/01/01/[$LATEST]abc",
                "faas.max_memory=128",
                "aws.log.group.names=[\"/aws/lambda/orders\"]",
                "aws.log.stream.names=[\"2026/01/01/[$LATEST]abc\"]",
            ]
        );
        let some = Wanted::of(["faas.name", "aws.log.group.names"]);
        assert_eq!(
            detect(&some, &environment).text(),
            ["faas.name=orders", "aws.log.group.names=[\"/aws/lambda/orders\"]"]
        );
    }

    #[test]
    fn an_extension_sees_no_log_group_and_elsewhere_there_is_nothing() {
        let environment = Environment::of([("AWS_LAMBDA_FUNCTION_NAME", "orders")]);
        let expected = ["cloud.provider=aws", "cloud.platform=aws_lambda", "faas.name=orders"];
        assert_eq!(detect(&all(), &environment).text(), expected);
        assert!(detect(&all(), &Environment::of([("AWS_REGION", "eu-west-1")])).is_empty());
    }
}
