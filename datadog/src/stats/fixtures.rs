//! Statistics for tests: any at all, and the oracle's form of them.

use libdd_trace_protobuf::pb;
use proptest::prelude::*;

/// Any statistics, in the form of Datadog's own library.
pub(crate) fn any_payload() -> impl Strategy<Value = pb::StatsPayload> {
    let clients = prop::collection::vec(any_client(), 0..4);
    (text(), text(), text(), any::<(bool, bool)>(), clients).prop_map(
        |(agent_hostname, agent_env, agent_version, flags, stats)| pb::StatsPayload {
            agent_hostname,
            agent_env,
            agent_version,
            client_computed: flags.0,
            split_payload: flags.1,
            stats,
        },
    )
}

fn any_client() -> impl Strategy<Value = pb::ClientStatsPayload> {
    let texts = prop::array::uniform11(text());
    let buckets = prop::collection::vec(any_bucket(), 0..4);
    (texts, texts_list(), any::<(u64, u64)>(), buckets).prop_map(|(texts, tags, numbers, stats)| {
        let [
            hostname,
            env,
            version,
            lang,
            tracer_version,
            runtime_id,
            aggregation,
            service,
            container,
            sha,
            image,
        ] = texts;
        pb::ClientStatsPayload {
            hostname,
            env,
            version,
            stats,
            lang,
            tracer_version,
            runtime_id,
            sequence: numbers.0,
            agent_aggregation: aggregation,
            service,
            container_id: container,
            tags,
            git_commit_sha: sha,
            image_tag: image,
            process_tags_hash: numbers.1,
            process_tags: "a:b".to_owned(),
        }
    })
}

fn any_bucket() -> impl Strategy<Value = pb::ClientStatsBucket> {
    let groups = prop::collection::vec(any_group(), 0..6);
    (any::<(u64, u64, i64)>(), groups).prop_map(|((start, duration, agent_time_shift), stats)| {
        pb::ClientStatsBucket { start, duration, stats, agent_time_shift }
    })
}

fn any_group() -> impl Strategy<Value = pb::ClientGroupedStats> {
    let texts = prop::array::uniform10(text());
    let lists = [texts_list(), texts_list(), texts_list()];
    let sketches = prop::array::uniform2(prop::collection::vec(any::<u8>(), 0..40));
    let numbers = any::<([u64; 4], u32, bool)>();
    (texts, lists, sketches, numbers, 0..3_i32).prop_map(
        |(texts, lists, sketches, numbers, root)| {
            let [
                service,
                name,
                resource,
                r#type,
                db_type,
                span_kind,
                grpc,
                method,
                endpoint,
                source,
            ] = texts;
            let ([peer_tags, primary, additional], [ok_summary, error_summary]) = (lists, sketches);
            let ([hits, errors, duration, top_level_hits], http_status_code, synthetics) = numbers;
            pb::ClientGroupedStats {
                service,
                name,
                resource,
                http_status_code,
                r#type,
                db_type,
                hits,
                errors,
                duration,
                ok_summary,
                error_summary,
                synthetics,
                top_level_hits,
                span_kind,
                peer_tags,
                is_trace_root: root,
                grpc_status_code: grpc,
                http_method: method,
                http_endpoint: endpoint,
                service_source: source,
                span_derived_primary_tags: primary,
                additional_metric_tags: additional,
            }
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-zé/ ]{1,12}"]
}

fn texts_list() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-z.]{1,6}:[a-z]{0,6}", 0..3)
}
