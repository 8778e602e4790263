//! `healthcheck`: asks the running agent of a config whether it is ready.
//!
//! It is asked every few seconds, so it reads the config without the network, unless where to ask itself comes over that.

mod ask;
mod targets;

use std::time::{Duration, Instant};

use confmap::Diagnostics;
use service::Sources;
use service::load::{self, Sketch};

use self::targets::Target;
use crate::cli::HealthCheck;
use crate::{FAILED, MISUSED, OK, dump};

/// Asks, and says in one line what came of it.
pub(crate) fn check(sources: &Sources, how: &HealthCheck) -> u8 {
    let deadline = Instant::now() + how.timeout;
    if let Some(endpoint) = &how.endpoint {
        let (address, path) = (endpoint.address.clone(), endpoint.path.clone());
        return ask(&[Target::Extension { address, path }], deadline);
    }
    dump::with_runtime(async {
        match tokio::time::timeout_at(deadline.into(), find(sources)).await {
            Ok(Ok(targets)) => ask(&targets, deadline),
            Ok(Err(diagnostics)) => dump::wrong(&diagnostics),
            Err(_elapsed) => {
                dump::tell(&too_slow(how.timeout));
                FAILED
            }
        }
    })
}

/// Whom to ask.
async fn find(sources: &Sources) -> Result<Vec<Target>, Diagnostics> {
    let Sketch { tree, is_partial } = load::sketch(sources).await;
    if !is_partial {
        return Ok(targets::of(tree?)?.targets);
    }
    if let Ok(found) = tree.and_then(targets::of)
        && !found.is_open
    {
        return Ok(found.targets);
    }
    Ok(targets::of(load::tree(sources).await?)?.targets)
}

fn too_slow(timeout: Duration) -> String {
    format!(
        "not ready: where to ask comes over the network, and was not read within {timeout:?}; write the address of health_check into the config itself, or see --timeout\n"
    )
}

fn ask(targets: &[Target], deadline: Instant) -> u8 {
    if targets.is_empty() {
        dump::tell(
            "not ready: the config has neither a health_check extension nor a receiver whose port is known; add health_check to service::extensions\n",
        );
        return MISUSED;
    }
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

#[cfg(test)]
mod tests;
