//! An ECS task, by its metadata endpoint.
//!
//! The mapping is that of open-telemetry/opentelemetry-collector-contrib `processor/resourcedetectionprocessor/internal/aws/ecs/ecs.go`.

use aws::Environment;
use aws::metadata::Task;
use serde_json::Value;

use super::Failure;
use crate::detected::{Collector, Detected, Wanted};

/// The attributes, and whether each is on unless it is turned off.
pub(crate) const ATTRIBUTES: &[(&str, bool)] = &[
    ("aws.ecs.cluster.arn", true),
    ("aws.ecs.launchtype", true),
    ("aws.ecs.task.arn", true),
    ("aws.ecs.task.family", true),
    ("aws.ecs.task.id", true),
    ("aws.ecs.task.revision", true),
    ("aws.log.group.arns", true),
    ("aws.log.group.names", true),
    ("aws.log.stream.arns", true),
    ("aws.log.stream.names", true),
    ("cloud.account.id", true),
    ("cloud.availability_zone", true),
    ("cloud.platform", true),
    ("cloud.provider", true),
    ("cloud.region", true),
];

const LOGS: [&str; 4] =
    ["aws.log.group.arns", "aws.log.group.names", "aws.log.stream.arns", "aws.log.stream.names"];

/// What the endpoint says; nothing when this is no task.
pub(crate) async fn detect(
    wanted: &Wanted,
    environment: &Environment,
) -> Result<Detected, Failure> {
    let Some(endpoint) = Task::of(environment) else { return Ok(Detected::default()) };
    let failed = |cause: aws::Cause| {
        Failure::ForNow(format!("the ECS task's metadata can't be had: {cause}"))
    };
    let task = endpoint.task().await.map_err(failed)?;
    // Which container this is matters for the logs of the others alone.
    let own = match wanted.any(&LOGS) {
        true => Some(endpoint.container().await.map_err(failed)?),
        false => None,
    };
    Ok(describe(wanted, &task, own.as_ref()))
}

/// The parts of a task's ARN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Arn<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    id: &'a str,
}

impl<'a> Arn<'a> {
    /// `arn:aws:ecs:REGION:ACCOUNT:task/[CLUSTER/]ID`.
    fn of(arn: &'a str) -> Self {
        let mut fields = arn.split(':');
        let (_arn, partition, _ecs) = (fields.next(), fields.next(), fields.next());
        match (partition, fields.next(), fields.next(), fields.next()) {
            (Some(partition), Some(region), Some(account), Some(task)) => {
                let id = task.rsplit('/').next().unwrap_or_default();
                Self { partition, region, account, id }
            }
            _ => Self::default(),
        }
    }

    fn named(&self, service: &str, region: &str, rest: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{rest}", self.partition, self.account)
    }
}

fn describe(wanted: &Wanted, task: &Value, own: Option<&Value>) -> Detected {
    let text = |key| task.get(key).and_then(Value::as_str);
    let arn = Arn::of(text("TaskARN").unwrap_or_default());
    let mut found = Collector::new(wanted);
    found.text("cloud.provider", Some("aws"));
    found.text("cloud.platform", Some("aws_ecs"));
    found.text("cloud.account.id", Some(arn.account));
    found.text("cloud.region", Some(arn.region));
    found.text("cloud.availability_zone", text("AvailabilityZone"));
    // The cluster is named by its ARN, or by its name alone.
    let cluster =
        text("Cluster").filter(|cluster| !cluster.is_empty()).map(|cluster| {
            match cluster.contains(':') {
                true => cluster.to_owned(),
                false => arn.named("ecs", arn.region, &format!("cluster/{cluster}")),
            }
        });
    found.text("aws.ecs.cluster.arn", cluster);
    found.text("aws.ecs.task.arn", text("TaskARN"));
    found.text("aws.ecs.task.id", Some(arn.id));
    found.text("aws.ecs.task.family", text("Family"));
    found.text("aws.ecs.task.revision", text("Revision"));
    let launch_type = text("LaunchType").unwrap_or_default().to_ascii_lowercase();
    let is_known = matches!(launch_type.as_str(), "ec2" | "fargate");
    found.text("aws.ecs.launchtype", is_known.then_some(launch_type));
    if let Some(own) = own {
        describe_logs(&mut found, task, own, arn);
    }
    found.finish()
}

/// Where the other containers that run now log to.
fn describe_logs(found: &mut Collector<'_>, task: &Value, own: &Value, arn: Arn<'_>) {
    let own_id = own.get("DockerId").and_then(Value::as_str).unwrap_or_default();
    let (mut group_names, mut group_arns) = (Vec::new(), Vec::new());
    let (mut stream_names, mut stream_arns) = (Vec::new(), Vec::new());
    for container in task.get("Containers").and_then(Value::as_array).into_iter().flatten() {
        let text = |key| container.get(key).and_then(Value::as_str).unwrap_or_default();
        let option = |key| {
            let options = container.get("LogOptions");
            options.and_then(|options| options.get(key)?.as_str()).unwrap_or_default()
        };
        let (group, stream) = (option("awslogs-group"), option("awslogs-stream"));
        let region = option("awslogs-region");
        let is_another_that_runs = text("Type") == "NORMAL"
            && text("KnownStatus") == "RUNNING"
            && text("DockerId") != own_id
            && text("LogDriver") == "awslogs";
        if !is_another_that_runs || [group, stream, region].iter().all(|text| text.is_empty()) {
            continue;
        }
        let group_arn = arn.named("logs", region, &format!("log-group:{group}"));
        stream_arns.push(format!("{group_arn}:log-stream:{stream}"));
        stream_names.push(stream.to_owned());
        group_arns.push(group_arn);
        group_names.push(group.to_owned());
    }
    found.list("aws.log.group.names", &group_names);
    found.list("aws.log.group.arns", &group_arns);
    found.list("aws.log.stream.names", &stream_names);
    found.list("aws.log.stream.arns", &stream_arns);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all() -> Wanted {
        Wanted::of(ATTRIBUTES.iter().map(|(name, _)| *name))
    }

    fn container(id: &str, change: Value) -> Value {
        let mut container = json!({
            "DockerId": id, "Type": "NORMAL", "KnownStatus": "RUNNING", "LogDriver": "awslogs",
            "LogOptions": {"awslogs-group": format!("g-{id}"), "awslogs-region": "us-west-2", "awslogs-stream": format!("s-{id}")},
        });
        container.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        container
    }

    #[test]
    fn a_task_is_described_with_the_logs_of_its_other_containers() {
        let task = json!({
            "Cluster": "shop",
            "TaskARN": "arn:aws:ecs:us-west-2:111122223333:task/shop/158d1c8083dd49d6b527399fd6414f5c",
            "Family": "orders", "Revision": "26", "AvailabilityZone": "us-west-2a", "LaunchType": "FARGATE",
            "Containers": [
                container("app", json!({})),
                container("own", json!({})),
                container("init", json!({"KnownStatus": "STOPPED"})),
                container("pause", json!({"Type": "CNI_PAUSE"})),
                container("fluent", json!({"LogDriver": "awsfirelens"})),
                container("bare", json!({"LogOptions": {}})),
                container("two", json!({})),
            ],
        });
        let found = describe(&all(), &task, Some(&json!({"DockerId": "own"})));
        assert_eq!(
            found.text(),
            [
                "cloud.provider=aws",
                "cloud.platform=aws_ecs",
                "cloud.account.id=111122223333",
                "cloud.region=us-west-2",
                "cloud.availability_zone=us-west-2a",
                "aws.ecs.cluster.arn=arn:aws:ecs:us-west-2:111122223333:cluster/shop",
                "aws.ecs.task.arn=arn:aws:ecs:us-west-2:111122223333:task/shop/158d1c8083dd49d6b527399fd6414f5c",
                "aws.ecs.task.id=158d1c8083dd49d6b527399fd6414f5c",
                "aws.ecs.task.family=orders",
                "aws.ecs.task.revision=26",
                "aws.ecs.launchtype=fargate",
                "aws.log.group.names=[\"g-app\",\"g-two\"]",
                "aws.log.group.arns=[\"arn:aws:logs:us-west-2:111122223333:log-group:g-app\",\"arn:aws:logs:us-west-2:111122223333:log-group:g-two\"]",
                "aws.log.stream.names=[\"s-app\",\"s-two\"]",
                "aws.log.stream.arns=[\"arn:aws:logs:us-west-2:111122223333:log-group:g-app:log-stream:s-app\",\"arn:aws:logs:us-west-2:111122223333:log-group:g-two:log-stream:s-two\"]",
            ]
        );
    }

    #[test]
    fn old_arns_other_partitions_and_missing_parts_are_taken() {
        let task = json!({
            "Cluster": "arn:aws-cn:ecs:cn-north-1:1:cluster/c",
            "TaskARN": "arn:aws-cn:ecs:cn-north-1:1:task/abc", "LaunchType": "EC2",
        });
        let wanted = Wanted::of(["aws.ecs.cluster.arn", "aws.ecs.task.id", "aws.ecs.launchtype"]);
        let expected = [
            "aws.ecs.cluster.arn=arn:aws-cn:ecs:cn-north-1:1:cluster/c",
            "aws.ecs.task.id=abc",
            "aws.ecs.launchtype=ec2",
        ];
        assert_eq!(describe(&wanted, &task, None).text(), expected);
        let named = json!({"Cluster": "c", "TaskARN": "arn:aws-cn:ecs:cn-north-1:1:task/abc"});
        let wanted = Wanted::of(["aws.ecs.cluster.arn"]);
        let expected = ["aws.ecs.cluster.arn=arn:aws-cn:ecs:cn-north-1:1:cluster/c"];
        assert_eq!(describe(&wanted, &named, None).text(), expected);
        for odd in [json!({}), json!({"TaskARN": 1, "LaunchType": "EXTERNAL", "Containers": {}})] {
            let found = describe(&all(), &odd, Some(&json!({})));
            assert_eq!(found.text(), ["cloud.provider=aws", "cloud.platform=aws_ecs"]);
        }
    }
}
