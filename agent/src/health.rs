//! `healthcheck`: asks the running agent of a config whether it is ready.

mod ask;
mod targets;

use std::time::{Duration, Instant};

use self::targets::Target;
use service::{Sources, load};

use crate::cli::HealthCheck;
use crate::{FAILED, MISUSED, OK, dump};

/// Asks, and says in one line what came of it.
pub(crate) fn check(sources: &Sources, how: &HealthCheck) -> u8 {
    if let Some(endpoint) = &how.endpoint {
        let path = "/".to_owned();
        return ask(&[Target::Extension { address: endpoint.clone(), path }], how.timeout);
    }
    dump::with_runtime(async {
        match load::read(sources).await {
            Ok(read) => ask(&targets::of(&read.root), how.timeout),
            Err(diagnostics) => dump::wrong(&diagnostics),
        }
    })
}

fn ask(targets: &[Target], timeout: Duration) -> u8 {
    if targets.is_empty() {
        dump::tell(
            "not ready: the config has neither a health_check extension nor a receiver whose port is known; add health_check to service::extensions\n",
        );
        return MISUSED;
    }
    let deadline = Instant::now() + timeout;
    let mut answers = Vec::new();
    for target in targets {
        match ask::ask(target, deadline) {
            Ok(answer) => answers.push(answer),
            Err(why) => {
                dump::tell(&format!("not ready: {why}\n"));
                return FAILED;
            }
        }
    }
    dump::print(&format!("ready: {}\n", answers.join(", ")));
    OK
}
