//! Splitting: the intake takes so many groups a request.
//!
//! The rule is that of DataDog/datadog-agent `pkg/trace/writer/stats.go`: a deployment's groups are dealt out in turn, then deployments are put
//! together again while there is room. Upstream's parts lose the deployment's tags, commit and image; these do not.

use super::payload::{ClientStatsBucket, ClientStatsPayload, StatsPayload};

/// Groups that the intake takes in one request.
pub const ENTRIES_MAX: usize = 4000;

impl<'a> StatsPayload<'a> {
    /// Parts of at most so many groups, the payload itself when that is enough. Parts of a split payload say so. What has no groups
    /// is left out.
    pub fn split(self, entries_max: usize) -> Vec<StatsPayload<'a>> {
        let entries_max = entries_max.max(1);
        if self.entries() <= entries_max {
            return if self.entries() == 0 { Vec::new() } else { vec![self] };
        }
        let head = StatsPayload { stats: Vec::new(), split_payload: true, ..self };
        let mut parts: Vec<StatsPayload<'a>> = Vec::new();
        let mut entries = usize::MAX;
        for client in self.stats.into_iter().flat_map(|client| deal(client, entries_max)) {
            let more = client.entries();
            if more == 0 {
                continue;
            }
            if entries.saturating_add(more) > entries_max {
                parts.push(head.clone());
                entries = 0;
            }
            entries += more;
            if let Some(part) = parts.last_mut() {
                part.stats.push(client);
            }
        }
        parts
    }
}

/// As many parts of a deployment's statistics as it takes.
fn deal(client: ClientStatsPayload<'_>, entries_max: usize) -> Vec<ClientStatsPayload<'_>> {
    let count = client.entries().div_ceil(entries_max);
    if count <= 1 {
        return vec![client];
    }
    let head = ClientStatsPayload { stats: Vec::new(), ..client };
    let mut parts = vec![head; count];
    let mut turn = 0;
    for bucket in client.stats {
        let head = ClientStatsBucket { stats: Vec::new(), ..bucket };
        for group in bucket.stats {
            let Some(part) = parts.get_mut(turn % count) else { continue };
            turn += 1;
            let same = |last: &ClientStatsBucket<'_>| {
                (last.start, last.duration) == (head.start, head.duration)
            };
            if !part.stats.last().is_some_and(same) {
                part.stats.push(head.clone());
            }
            if let Some(last) = part.stats.last_mut() {
                last.stats.push(group);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests;
