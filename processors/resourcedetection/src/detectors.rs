//! Who finds out what: each detector asks one source, when it is told to.

pub(crate) mod ec2;
pub(crate) mod ecs;
pub(crate) mod env;
pub(crate) mod lambda;
pub(crate) mod system;

use aws::Environment;
use pipeline::BoxFuture;

use crate::config::{Config, HostnameSource, System};
use crate::detected::Detected;

/// The detectors there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Env,
    System,
    Ecs,
    Ec2,
    Lambda,
}

/// Why a detector finds nothing where it should.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It may find something when it is asked again.
    #[error("{0}")]
    ForNow(String),
    /// It never will in this process.
    #[error("{0}")]
    ForGood(String),
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Env, Self::System, Self::Ecs, Self::Ec2, Self::Lambda];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::System => "system",
            Self::Ecs => "ecs",
            Self::Ec2 => "ec2",
            Self::Lambda => "lambda",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who can be asked.
pub(crate) trait Ask: Send + Sync {
    /// Asks a detector once. Where it finds that it is elsewhere, it has found nothing, which is no failure.
    fn ask<'a>(
        &'a self,
        kind: Kind,
        config: &'a Config,
    ) -> BoxFuture<'a, Result<Detected, Failure>>;
}

/// The real detectors, in a process's environment.
impl Ask for Environment {
    fn ask<'a>(
        &'a self,
        kind: Kind,
        config: &'a Config,
    ) -> BoxFuture<'a, Result<Detected, Failure>> {
        // The environment of a function is on no instance that it may ask, and nothing there is to wait for a name server.
        let is_function = self.get("AWS_LAMBDA_FUNCTION_NAME").is_some();
        Box::pin(async move {
            match kind {
                Kind::Env => env::detect(self),
                Kind::Ec2 if is_function => Ok(Detected::default()),
                Kind::System if is_function => {
                    let hostname_sources = vec![HostnameSource::Os];
                    let system = System { hostname_sources, ..config.system.clone() };
                    system::detect(&system, config.timeout).await
                }
                Kind::System => system::detect(&config.system, config.timeout).await,
                Kind::Ecs => ecs::detect(&config.ecs, self).await,
                Kind::Ec2 => ec2::detect(&config.ec2, self).await,
                Kind::Lambda => Ok(lambda::detect(&config.lambda, self)),
            }
        })
    }
}
