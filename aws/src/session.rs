//! A session: credentials and a region, found when they are first needed.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::Uri;
use tokio::sync::OnceCell;

use crate::cache::{Cache, Clock};
use crate::chain::Chain;
use crate::credentials::Credentials;
use crate::endpoint::{Service, Variant, endpoint};
use crate::environment::Environment;
use crate::error::{Error, Looked, Source};
use crate::files::{Places, Profiles};
use crate::metadata::{Instance, Task};
use crate::query::{self, Call, Route};
use crate::region::Region;
use crate::settings::Settings;
use crate::sign::Signer;
use crate::sts::Sts;
use crate::xml::Element;

/// Who requests are signed as, and for which region. Clones share what was found.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

/// What the clones of a session share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) environment: Environment,
    clock: Clock,
    credentials: Cache,
    profiles: OnceCell<Profiles>,
    region: OnceCell<Region>,
}

impl Session {
    /// A session of these settings. Nothing is read before the first request.
    #[must_use]
    pub fn new(settings: Settings, environment: Environment) -> Self {
        Self::with_clock(settings, environment, Arc::new(SystemTime::now))
    }

    pub(crate) fn with_clock(settings: Settings, environment: Environment, clock: Clock) -> Self {
        let shared = Shared {
            settings,
            environment,
            clock: clock.clone(),
            credentials: Cache::new(clock),
            profiles: OnceCell::new(),
            region: OnceCell::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The credentials to sign with: those at hand, or, shortly before they expire, new ones.
    ///
    /// # Errors
    /// When no source has any. The text says where was looked and what to do.
    pub async fn credentials(&self) -> Result<Credentials, Error> {
        let chain = Chain { session: &self.shared };
        self.shared.credentials.get(|| chain.find()).await
    }

    /// Forgets the credentials at hand, after a service has said that they have expired.
    pub fn forget_credentials(&self) {
        self.shared.credentials.forget();
    }

    /// The region, by the settings, the environment, the profile, the ECS task, the instance.
    ///
    /// # Errors
    /// When none of them knows it. The text says where was looked and what to do.
    pub async fn region(&self) -> Result<Region, Error> {
        self.shared.region().await
    }

    /// A service's endpoint: that of `AWS_ENDPOINT_URL_…` or the profile, else the usual one of the region, with `AWS_USE_FIPS_ENDPOINT` and
    /// `AWS_USE_DUALSTACK_ENDPOINT` heeded.
    ///
    /// # Errors
    /// When no region is known, or a variable has no URL.
    pub async fn endpoint(&self, service: Service) -> Result<Uri, Error> {
        self.shared.endpoint(service, None).await
    }

    /// As [`Session::endpoint`], in another region than the session's.
    ///
    /// # Errors
    /// When a variable has no URL.
    pub async fn endpoint_in(&self, service: Service, region: &Region) -> Result<Uri, Error> {
        self.shared.endpoint(service, Some(region)).await
    }

    /// A service's endpoint if `AWS_ENDPOINT_URL_…` or the profile names one.
    ///
    /// # Errors
    /// When what is named is no URL.
    pub async fn configured_endpoint(&self, service: Service) -> Result<Option<Uri>, Error> {
        self.shared.configured_endpoint(service).await
    }

    /// Signs all requests of a client for this service.
    #[must_use]
    pub fn signer(&self, service: Service) -> Arc<Signer> {
        Signer::new(self.clone(), service, None)
    }

    /// As [`Session::signer`], for another region than the session's.
    #[must_use]
    pub fn signer_in(&self, service: Service, region: Region) -> Arc<Signer> {
        Signer::new(self.clone(), service, Some(region))
    }

    /// Makes a call of a service that speaks the query protocol, and returns its answer.
    ///
    /// # Errors
    /// When it can't be signed or sent, or is refused.
    pub async fn query(&self, call: &Call) -> Result<Element, Error> {
        let shared = &self.shared;
        let region = shared.region().await?;
        let endpoint = shared.endpoint(call.service, None).await?;
        let credentials = self.credentials().await?;
        let route = Route {
            environment: &shared.environment,
            endpoint,
            region: region.as_str(),
            credentials: Some(&credentials),
            now: shared.now(),
        };
        query::send(call, route).await
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.shared.now()
    }
}

impl Shared {
    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// The STS of a region, or of the session's.
    pub(crate) async fn sts(&self, region: Option<&str>) -> Result<Sts<'_>, Error> {
        let region = match region {
            Some(region) => Region::new(region, "the settings for STS")?,
            None => self.region().await?,
        };
        let endpoint = self.endpoint(Service::STS, Some(&region)).await?;
        Ok(Sts { environment: &self.environment, endpoint, region, now: self.now() })
    }

    async fn region(&self) -> Result<Region, Error> {
        if let Some(region) = &self.settings.region {
            return Region::new(region, "the settings");
        }
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let Some(region) = self.environment.get(name) {
                return Region::new(&region, name);
            }
        }
        self.region.get_or_try_init(|| self.look_for_region()).await.cloned()
    }

    /// Looks for the region where that takes time.
    async fn look_for_region(&self) -> Result<Region, Error> {
        let mut looked = Looked::default();
        looked.not_set("AWS_REGION");
        let profile = self.profile();
        if let Some(region) = self.profiles().await?.get(&profile, "region") {
            return Region::new(region, "the profile");
        }
        looked.not_set("region in the profile");
        match Task::of(&self.environment) {
            None => looked.not_set("ECS_CONTAINER_METADATA_URI_V4"),
            Some(task) => match task.region().await {
                Ok(region) => return Ok(region),
                Err(cause) => looked.asked("the ECS task", cause.to_string()),
            },
        }
        let instance = match Instance::connect(&self.environment).await {
            Ok(instance) => instance.get("/meta-data/placement/region").await,
            Err(cause) => Err(cause),
        };
        match instance {
            Ok(Some(region)) => return Region::new(region.trim(), "the instance's metadata"),
            Ok(None) => looked.asked("the instance's metadata", "it has no region"),
            Err(cause) => looked.asked("the instance's metadata", cause.to_string()),
        }
        Err(Error::NoRegion(looked))
    }

    async fn configured_endpoint(&self, service: Service) -> Result<Option<Uri>, Error> {
        let profile = self.profile();
        if !self.environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            let own = format!("AWS_ENDPOINT_URL_{}", service.variable_name);
            for name in [own.as_str(), "AWS_ENDPOINT_URL"] {
                if let Some(url) = self.environment.get(name) {
                    return parse_endpoint(&url, name).map(Some);
                }
            }
            if let Some(url) = self.profiles().await?.endpoint_url(&profile, service.file_name) {
                return parse_endpoint(url, &format!("the profile {profile:?}")).map(Some);
            }
        }
        Ok(None)
    }

    async fn endpoint(&self, service: Service, region: Option<&Region>) -> Result<Uri, Error> {
        if let Some(endpoint) = self.configured_endpoint(service).await? {
            return Ok(endpoint);
        }
        let fips = self.is_set("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint").await?;
        let dual_stack =
            self.is_set("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint").await?;
        let variant = Variant { fips, dual_stack };
        match region {
            Some(region) => Ok(endpoint(service, region, variant)),
            None => Ok(endpoint(service, &self.region().await?, variant)),
        }
    }

    /// Whether a variable, or else the profile, says `true`.
    async fn is_set(&self, variable: &str, key: &str) -> Result<bool, Error> {
        if self.environment.get(variable).is_some() {
            return Ok(self.environment.is_true(variable));
        }
        let value = self.profiles().await?.get(&self.profile(), key);
        Ok(value.is_some_and(|value| value.eq_ignore_ascii_case("true")))
    }

    /// The profile's name.
    fn profile(&self) -> String {
        let named = self.settings.profile.clone();
        let named = named.or_else(|| self.environment.get("AWS_PROFILE"));
        let named = named.or_else(|| self.environment.get("AWS_DEFAULT_PROFILE"));
        named.unwrap_or_else(|| "default".to_owned())
    }

    /// What the shared files say, as they were when they were first needed. Credentials are read from them anew each time.
    async fn profiles(&self) -> Result<&Profiles, Error> {
        let read = || async { Places::of(&self.settings, &self.environment).read().await };
        let profiles = self.profiles.get_or_try_init(read).await;
        profiles
            .map_err(|cause| Error::Credentials { origin: Source::Profile(self.profile()), cause })
    }
}

/// The URL, without a path if it has none: requests have paths of their own.
fn parse_endpoint(url: &str, origin: &str) -> Result<Uri, Error> {
    let uri: Option<Uri> = url.parse().ok();
    let uri = uri
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    uri.ok_or_else(|| Error::InvalidEndpoint { origin: origin.to_owned() })
}

/// Nothing of a session is shown: its settings and its environment may be secret.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

#[cfg(test)]
mod tests;
