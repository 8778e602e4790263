//! Which attributes become which tags.

/// Declares a lookup from attribute keys to tag keys, or of tag keys alone.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident: $($key:literal => $tag:literal,)*) => {
        $(#[$doc])*
        pub(crate) fn $name(key: &[u8]) -> Option<&'static str> {
            match key {
                $($key => Some($tag),)*
                _ => None,
            }
        }
    };
}

table! {
    /// The tag for an attribute that says what a service is.
    core_tag:
    b"deployment.environment" => "env",
    b"deployment.environment.name" => "env",
    b"service.name" => "service",
    b"service.version" => "version",
    b"service.namespace" => "service.namespace",
    b"service.instance.id" => "service.instance.id",
}

table! {
    /// The tag for a label of Kubernetes.
    kubernetes_tag:
    b"tags.datadoghq.com/env" => "env",
    b"tags.datadoghq.com/service" => "service",
    b"tags.datadoghq.com/version" => "version",
    b"app.kubernetes.io/name" => "kube_app_name",
    b"app.kubernetes.io/instance" => "kube_app_instance",
    b"app.kubernetes.io/version" => "kube_app_version",
    b"app.kubernetes.io/component" => "kube_app_component",
    b"app.kubernetes.io/part-of" => "kube_app_part_of",
    b"app.kubernetes.io/managed-by" => "kube_app_managed_by",
}

table! {
    /// The tag for an attribute that says in what container something runs.
    container_tag:
    b"container.id" => "container_id",
    b"container.name" => "container_name",
    b"container.image.name" => "image_name",
    b"container.image.tag" => "image_tag",
    b"container.image.tags" => "image_tag",
    b"container.runtime" => "runtime",
    b"cloud.provider" => "cloud_provider",
    b"cloud.region" => "region",
    b"cloud.availability_zone" => "zone",
    b"aws.ecs.task.family" => "task_family",
    b"aws.ecs.task.arn" => "task_arn",
    b"aws.ecs.cluster.arn" => "ecs_cluster_name",
    b"aws.ecs.task.revision" => "task_version",
    b"aws.ecs.container.arn" => "ecs_container_name",
    b"k8s.container.name" => "kube_container_name",
    b"k8s.cluster.name" => "kube_cluster_name",
    b"k8s.deployment.name" => "kube_deployment",
    b"k8s.replicaset.name" => "kube_replica_set",
    b"k8s.statefulset.name" => "kube_stateful_set",
    b"k8s.daemonset.name" => "kube_daemon_set",
    b"k8s.job.name" => "kube_job",
    b"k8s.cronjob.name" => "kube_cronjob",
    b"k8s.namespace.name" => "kube_namespace",
    b"k8s.pod.name" => "pod_name",
    b"k8s.node.name" => "kube_node",
}

/// Whether an attribute bears the name of a container tag already.
pub(super) fn is_container_tag(key: &[u8]) -> bool {
    matches!(
        key,
        b"container_id"
            | b"container_name"
            | b"image_name"
            | b"image_tag"
            | b"runtime"
            | b"cloud_provider"
            | b"region"
            | b"zone"
            | b"task_family"
            | b"task_arn"
            | b"ecs_cluster_name"
            | b"task_version"
            | b"ecs_container_name"
            | b"kube_container_name"
            | b"kube_cluster_name"
            | b"kube_deployment"
            | b"kube_replica_set"
            | b"kube_stateful_set"
            | b"kube_daemon_set"
            | b"kube_job"
            | b"kube_cronjob"
            | b"kube_namespace"
            | b"pod_name"
            | b"kube_node"
    )
}

/// Whether an attribute bears the name of one of the tags that Datadog's own Agent sets.
pub(super) fn is_datadog_tag(key: &[u8]) -> bool {
    matches!(
        key,
        b"architecture"
            | b"availability-zone"
            | b"chronos_job"
            | b"chronos_job_owner"
            | b"cluster_name"
            | b"container_id"
            | b"container_name"
            | b"dd_remote_config_id"
            | b"dd_remote_config_rev"
            | b"display_container_name"
            | b"docker_image"
            | b"ecs_cluster_name"
            | b"ecs_container_name"
            | b"eks_fargate_node"
            | b"env"
            | b"git.commit.sha"
            | b"git.repository_url"
            | b"image_id"
            | b"image_name"
            | b"image_tag"
            | b"kube_app_component"
            | b"kube_app_instance"
            | b"kube_app_managed_by"
            | b"kube_app_name"
            | b"kube_app_part_of"
            | b"kube_app_version"
            | b"kube_container_name"
            | b"kube_cronjob"
            | b"kube_daemon_set"
            | b"kube_deployment"
            | b"kube_job"
            | b"kube_namespace"
            | b"kube_ownerref_kind"
            | b"kube_ownerref_name"
            | b"kube_priority_class"
            | b"kube_qos"
            | b"kube_replica_set"
            | b"kube_replication_controller"
            | b"kube_service"
            | b"kube_stateful_set"
            | b"language"
            | b"marathon_app"
            | b"mesos_task"
            | b"nomad_dc"
            | b"nomad_group"
            | b"nomad_job"
            | b"nomad_namespace"
            | b"nomad_task"
            | b"oshift_deployment"
            | b"oshift_deployment_config"
            | b"os_name"
            | b"os_version"
            | b"persistentvolumeclaim"
            | b"pod_name"
            | b"pod_phase"
            | b"rancher_container"
            | b"rancher_service"
            | b"rancher_stack"
            | b"region"
            | b"service"
            | b"short_image"
            | b"swarm_namespace"
            | b"swarm_service"
            | b"task_name"
            | b"task_family"
            | b"task_version"
            | b"task_arn"
            | b"version"
    )
}
