//! The ECS task metadata endpoint, version 4, or 3 where there is no newer one.

use std::time::Duration;

use http::{HeaderMap, Method, Uri};
use net::client::HttpClient;
use serde_json::Value;

use super::{Attempts, ask, direct_client, json, request};
use crate::environment::Environment;
use crate::error::Cause;
use crate::region::Region;

const VARIABLES: [&str; 2] = ["ECS_CONTAINER_METADATA_URI_V4", "ECS_CONTAINER_METADATA_URI"];

/// The agent of a busy host answers late, and turns requests away when there are many.
const ATTEMPTS: Attempts =
    Attempts { number: 3, timeout: Duration::from_secs(2), after_refusal: true };

/// The metadata of the task that this process runs in.
pub struct Task {
    client: HttpClient,
    base: String,
}

impl Task {
    /// The task's endpoint by its variable; nothing when this is no ECS task.
    #[must_use]
    pub fn of(environment: &Environment) -> Option<Self> {
        let base = VARIABLES.iter().find_map(|name| environment.get(name))?;
        Some(Self { client: direct_client(), base: base.trim_end_matches('/').to_owned() })
    }

    /// What is known of the task.
    ///
    /// # Errors
    /// When there is no answer, or one that makes no sense.
    pub async fn task(&self) -> Result<Value, Cause> {
        self.get("/task").await
    }

    /// What is known of this process's container.
    ///
    /// # Errors
    /// When there is no answer, or one that makes no sense.
    pub async fn container(&self) -> Result<Value, Cause> {
        self.get("").await
    }

    /// The region that the task runs in.
    pub(crate) async fn region(&self) -> Result<Region, Cause> {
        let task = self.task().await?;
        let arn = task.get("TaskARN").and_then(Value::as_str);
        arn.and_then(Region::of_arn).ok_or(Cause::Answer("has no TaskARN with a region"))
    }

    async fn get(&self, path: &str) -> Result<Value, Cause> {
        let uri = format!("{}{path}", self.base).parse::<Uri>();
        let uri = uri.map_err(|_invalid| Cause::Url("ECS_CONTAINER_METADATA_URI_V4"))?;
        json(&ask(&self.client, &request(Method::GET, uri, HeaderMap::new()), ATTEMPTS).await?)
    }
}
