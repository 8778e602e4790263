//! Statistics as MessagePack: what the intake takes. Maps with the field names of Datadog's Go structs for keys, every key in every map,
//! as the agent writes them.

use rmp::encode::{
    ValueWriteError, write_array_len, write_bin, write_bool, write_map_len, write_sint, write_str,
    write_uint,
};

use super::payload::{ClientGroupedStats, ClientStatsBucket, ClientStatsPayload, StatsPayload};

type Written = Result<(), ValueWriteError>;

impl StatsPayload<'_> {
    /// The MessagePack form.
    pub fn to_msgpack(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // A vector takes whatever is written.
        let _written = put_payload(&mut out, self);
        out
    }
}

fn put_payload(out: &mut Vec<u8>, payload: &StatsPayload<'_>) -> Written {
    write_map_len(out, 6)?;
    put_text(out, "AgentHostname", payload.agent_hostname)?;
    put_text(out, "AgentEnv", payload.agent_env)?;
    put_list(out, "Stats", &payload.stats, put_client)?;
    put_text(out, "AgentVersion", payload.agent_version)?;
    put_bool(out, "ClientComputed", payload.client_computed)?;
    put_bool(out, "SplitPayload", payload.split_payload)
}

fn put_client(out: &mut Vec<u8>, client: &ClientStatsPayload<'_>) -> Written {
    write_map_len(out, 16)?;
    put_text(out, "Hostname", client.hostname)?;
    put_text(out, "Env", client.env)?;
    put_text(out, "Version", client.version)?;
    put_list(out, "Stats", &client.stats, put_bucket)?;
    put_text(out, "Lang", client.lang)?;
    put_text(out, "TracerVersion", client.tracer_version)?;
    put_text(out, "RuntimeID", client.runtime_id)?;
    put_number(out, "Sequence", client.sequence)?;
    put_text(out, "AgentAggregation", client.agent_aggregation)?;
    put_text(out, "Service", client.service)?;
    put_text(out, "ContainerID", client.container_id)?;
    put_list(out, "Tags", &client.tags, |out, tag| write_str(out, tag))?;
    put_text(out, "GitCommitSha", client.git_commit_sha)?;
    put_text(out, "ImageTag", client.image_tag)?;
    put_number(out, "ProcessTagsHash", client.process_tags_hash)?;
    put_text(out, "ProcessTags", client.process_tags)
}

fn put_bucket(out: &mut Vec<u8>, bucket: &ClientStatsBucket<'_>) -> Written {
    write_map_len(out, 4)?;
    put_number(out, "Start", bucket.start)?;
    put_number(out, "Duration", bucket.duration)?;
    put_list(out, "Stats", &bucket.stats, put_group)?;
    write_str(out, "AgentTimeShift")?;
    write_sint(out, bucket.agent_time_shift).map(drop)
}

fn put_group(out: &mut Vec<u8>, group: &ClientGroupedStats<'_>) -> Written {
    write_map_len(out, 22)?;
    put_text(out, "Service", group.service)?;
    put_text(out, "Name", group.name)?;
    put_text(out, "Resource", group.resource)?;
    put_number(out, "HTTPStatusCode", group.http_status_code.into())?;
    put_text(out, "Type", group.span_type)?;
    put_text(out, "DBType", group.db_type)?;
    put_number(out, "Hits", group.hits)?;
    put_number(out, "Errors", group.errors)?;
    put_number(out, "Duration", group.duration)?;
    put_bin(out, "OkSummary", &group.ok_summary)?;
    put_bin(out, "ErrorSummary", &group.error_summary)?;
    put_bool(out, "Synthetics", group.synthetics)?;
    put_number(out, "TopLevelHits", group.top_level_hits)?;
    put_text(out, "SpanKind", group.span_kind)?;
    put_list(out, "PeerTags", &group.peer_tags, |out, tag| write_str(out, tag))?;
    put_number(out, "IsTraceRoot", group.is_trace_root.into())?;
    put_text(out, "GRPCStatusCode", &group.grpc_status_code)?;
    put_text(out, "HTTPMethod", group.http_method)?;
    put_text(out, "HTTPEndpoint", group.http_endpoint)?;
    put_text(out, "srv_src", group.service_source)?;
    let (primary, additional) = (&group.span_derived_primary_tags, &group.additional_metric_tags);
    put_list(out, "SpanDerivedPrimaryTags", primary, |out, tag| write_str(out, tag))?;
    put_list(out, "AdditionalMetricTags", additional, |out, tag| write_str(out, tag))
}

fn put_text(out: &mut Vec<u8>, key: &str, text: &str) -> Written {
    write_str(out, key)?;
    write_str(out, text)
}

fn put_bin(out: &mut Vec<u8>, key: &str, bytes: &[u8]) -> Written {
    write_str(out, key)?;
    write_bin(out, bytes)
}

fn put_number(out: &mut Vec<u8>, key: &str, number: u64) -> Written {
    write_str(out, key)?;
    write_uint(out, number).map(drop)
}

fn put_bool(out: &mut Vec<u8>, key: &str, value: bool) -> Written {
    write_str(out, key)?;
    write_bool(out, value).map_err(ValueWriteError::InvalidMarkerWrite)
}

fn put_list<T>(
    out: &mut Vec<u8>,
    key: &str,
    list: &[T],
    put: impl Fn(&mut Vec<u8>, &T) -> Written,
) -> Written {
    write_str(out, key)?;
    write_array_len(out, list.len() as u32)?;
    list.iter().try_for_each(|item| put(out, item))
}

#[cfg(test)]
mod tests;
