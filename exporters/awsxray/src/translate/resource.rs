//! What a resource gives to all documents of its spans: rendered once, copied into each.

use pdata::view::{AnyValue, Resource};

use super::annotations::{RESOURCE_PREFIX, put_annotation, put_entry};
use super::attributes::Known;
use super::keys::Key;
use super::options::Options;
use super::stack::Language;
use super::text::{put_if, put_member};

const AWS: &[u8] = b"aws";

/// A resource, and what is rendered of it.
#[derive(Clone, Debug)]
pub(super) struct ResourceParts<'a> {
    /// Its attributes.
    pub(super) known: Known<'a>,
    /// Its name; may be empty.
    pub(super) service_name: &'a [u8],
    /// What its stack traces are written in.
    pub(super) language: Language,
    /// The account it runs in.
    pub(super) account_id: &'a [u8],
    /// `service` and `origin`.
    pub(super) common: Vec<u8>,
    /// `aws` without its end, unless the resource is another provider's.
    pub(super) aws: Option<Vec<u8>>,
    /// Its annotations, each with a comma behind it.
    pub(super) annotations: Vec<u8>,
    /// The names they have there.
    pub(super) annotation_keys: Vec<Vec<u8>>,
    /// The rest of its attributes as metadata, each with a comma behind it.
    pub(super) metadata: Vec<u8>,
}

impl<'a> ResourceParts<'a> {
    pub(super) fn of(resource: &Resource<'a>, options: &Options) -> Self {
        let known = Known::of(resource.attributes);
        let mut this = Self {
            service_name: known.text(Key::ServiceName),
            language: Language::of(known.text(Key::TelemetrySdkLanguage)),
            account_id: known.text(Key::CloudAccountId),
            common: Vec::new(),
            aws: None,
            annotations: Vec::new(),
            annotation_keys: Vec::new(),
            metadata: Vec::new(),
            known,
        };
        this.put_service();
        let provider = this.known.text(Key::CloudProvider);
        if this.known.str(Key::CloudProvider).is_none_or(|provider| provider == AWS) {
            this.put_origin(options);
        }
        if provider.is_empty() || provider == AWS {
            this.aws = Some(this.render_aws(options));
        }
        this.render_attributes(options);
        this
    }

    fn put_service(&mut self) {
        let version = match self.known.get(Key::ServiceVersion) {
            None => match self.known.get(Key::ContainerImageTags) {
                Some(AnyValue::Array(tags)) if !tags.values().is_empty() => {
                    tags.values().iter().next()
                }
                _ => self.known.get(Key::ContainerImageTag).copied(),
            },
            version => version.copied(),
        };
        let Some(version) = version else { return };
        let version = version.as_str().unwrap_or_default();
        self.common.extend_from_slice(br#",\"service\":{"#);
        put_if(&mut self.common, br#"\"version\":\""#, version.as_bytes(), usize::MAX);
        self.common.push(b'}');
    }

    /// What kind of place it runs at, in X-Ray's words.
    fn put_origin(&mut self, options: &Options) {
        let origin: &[u8] = match self.known.text(Key::CloudPlatform) {
            b"aws_app_runner" => b"AWS::AppRunner::Service",
            b"aws_eks" => b"AWS::EKS::Container",
            b"aws_elastic_beanstalk" => b"AWS::ElasticBeanstalk::Environment",
            b"aws_ecs" => match self.known.text(Key::AwsEcsLaunchtype) {
                b"ec2" => b"AWS::ECS::EC2",
                b"fargate" => b"AWS::ECS::Fargate",
                _ => b"AWS::ECS::Container",
            },
            b"aws_ec2" => b"AWS::EC2::Instance",
            b"" | b"aws_lambda" if options.is_beside_function() => b"AWS::Lambda::Function",
            _ => b"",
        };
        put_if(&mut self.common, br#",\"origin\":\""#, origin, usize::MAX);
    }

    fn render_aws(&self, options: &Options) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        let known = &self.known;
        out.extend_from_slice(br#",\"aws\":{\"xray\":{\"auto_instrumentation\":"#);
        let auto = [Key::TelemetryDistroVersion, Key::TelemetryAutoVersion];
        let auto = !known.first_text(&auto).is_empty();
        out.extend_from_slice(if auto { b"true" } else { b"false" });
        let mut sdk = known.text(Key::TelemetrySdkName).to_vec();
        let language = known.text(Key::TelemetrySdkLanguage);
        if !sdk.is_empty() && !language.is_empty() {
            sdk.extend_from_slice(b" for ");
            sdk.extend_from_slice(language);
        }
        put_if(&mut out, br#",\"sdk\":\""#, &sdk, usize::MAX);
        let version = known.text(Key::TelemetrySdkVersion);
        put_if(&mut out, br#",\"sdk_version\":\""#, version, usize::MAX);
        out.push(b'}');

        let platform = known.text(Key::CloudPlatform);
        if platform == b"aws_ecs" {
            self.put_ecs(&mut out);
        }
        if platform == b"aws_ec2" || !known.text(Key::HostId).is_empty() {
            out.extend_from_slice(br#",\"ec2\":{"#);
            put_or_null(&mut out, br#"\"instance_id\":"#, known.text(Key::HostId));
            let zone = known.text(Key::CloudAvailabilityZone);
            put_or_null(&mut out, br#",\"availability_zone\":"#, zone);
            put_or_null(&mut out, br#",\"instance_size\":"#, known.text(Key::HostType));
            put_or_null(&mut out, br#",\"ami_id\":"#, known.text(Key::HostImageId));
            out.push(b'}');
        }
        if platform == b"aws_eks" || !known.text(Key::K8sClusterName).is_empty() {
            out.extend_from_slice(br#",\"eks\":{"#);
            put_or_null(&mut out, br#"\"cluster_name\":"#, known.text(Key::K8sClusterName));
            put_or_null(&mut out, br#",\"pod\":"#, known.text(Key::K8sPodName));
            put_or_null(&mut out, br#",\"container_id\":"#, known.text(Key::ContainerId));
            out.push(b'}');
        }
        let instance = known.text(Key::ServiceInstanceId);
        if platform == b"aws_elastic_beanstalk" && !instance.is_empty() {
            let namespace = known.text(Key::ServiceNamespace);
            out.extend_from_slice(br#",\"elastic_beanstalk\":{"#);
            put_or_null(&mut out, br#"\"environment_name\":"#, namespace);
            put_or_null(&mut out, br#",\"version_label\":"#, known.text(Key::ServiceVersion));
            out.extend_from_slice(br#",\"deployment_id\":"#);
            let number = std::str::from_utf8(instance).ok().and_then(|text| text.parse().ok());
            pdata::text::put_int(&mut out, number.unwrap_or_default());
            out.push(b'}');
        }
        self.put_log_groups(&mut out, options);
        out
    }

    fn put_ecs(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#",\"ecs\":{"#);
        let mark = out.len();
        for (name, key) in [
            (&br#",\"container\":\""#[..], Key::ContainerName),
            (br#",\"container_id\":\""#, Key::ContainerId),
            (br#",\"task_arn\":\""#, Key::AwsEcsTaskArn),
            (br#",\"task_family\":\""#, Key::AwsEcsTaskFamily),
            (br#",\"cluster_arn\":\""#, Key::AwsEcsClusterArn),
            (br#",\"container_arn\":\""#, Key::AwsEcsContainerArn),
            (br#",\"availability_zone\":\""#, Key::CloudAvailabilityZone),
            (br#",\"launch_type\":\""#, Key::AwsEcsLaunchtype),
        ] {
            put_if(out, name, self.known.text(key), usize::MAX);
        }
        if out.len() > mark {
            // The first member has no comma before it.
            out.remove(mark);
        }
        out.push(b'}');
    }

    /// The log groups by ARN, else by name, else those of the settings.
    fn put_log_groups(&self, out: &mut Vec<u8>, options: &Options) {
        let arns = texts(self.known.get(Key::AwsLogGroupArns));
        let names = texts(self.known.get(Key::AwsLogGroupNames));
        const OPENING: &[u8] = br#",\"cloudwatch_logs\":["#;
        let mark = out.len();
        out.extend_from_slice(OPENING);
        let put = |out: &mut Vec<u8>, group: &[u8], arn: &[u8]| {
            put_member(out, br#"{\"log_group\":\""#, group, usize::MAX);
            put_if(out, br#",\"arn\":\""#, arn, usize::MAX);
            out.extend_from_slice(b"},");
        };
        if !arns.is_empty() {
            for arn in arns {
                let group = arn.split(|byte| *byte == b':').nth(6).unwrap_or(arn);
                put(out, group, arn);
            }
        } else if !names.is_empty() {
            names.iter().for_each(|name| put(out, name, b""));
        } else {
            options.log_groups().iter().for_each(|name| put(out, name.as_bytes(), b""));
        }
        super::text::close(out, mark, OPENING.len(), b']');
    }

    /// Its attributes by the names that they have in documents.
    pub(super) fn named(&self) -> impl Iterator<Item = (Vec<u8>, &AnyValue<'a>)> {
        let name = |key: &[u8]| [RESOURCE_PREFIX, key].concat();
        self.known.list().iter().map(move |attribute| (name(attribute.key), &attribute.value))
    }

    fn render_attributes(&mut self, options: &Options) {
        let mut scratch = Vec::new();
        let mut name = RESOURCE_PREFIX.to_vec();
        for attribute in self.known.list() {
            name.truncate(RESOURCE_PREFIX.len());
            name.extend_from_slice(attribute.key);
            let is_indexed = options.indexes_all() || options.names(&name);
            let (out, keys) = (&mut self.annotations, &mut self.annotation_keys);
            if is_indexed && put_annotation(out, keys, &name, &attribute.value).is_put() {
                continue;
            }
            if attribute.value != AnyValue::Empty {
                put_entry(&mut self.metadata, &name, &attribute.value, &mut scratch);
            }
        }
    }
}

/// The texts of a list, or of a text that is one, with `&` between them.
fn texts<'a>(value: Option<&AnyValue<'a>>) -> Vec<&'a [u8]> {
    let texts: Vec<&[u8]> = match value {
        Some(AnyValue::Str(text)) => text.as_bytes().split(|byte| *byte == b'&').collect(),
        Some(AnyValue::Array(list)) => {
            list.values().iter().filter_map(|value| value.as_str()).map(|s| s.as_bytes()).collect()
        }
        _ => Vec::new(),
    };
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

fn put_or_null(out: &mut Vec<u8>, name: &[u8], text: &[u8]) {
    out.extend_from_slice(name);
    if text.is_empty() {
        out.extend_from_slice(b"null");
    } else {
        put_member(out, br#"\""#, text, usize::MAX);
    }
}
