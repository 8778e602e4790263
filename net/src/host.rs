//! Where this process runs: the host's name, and the platforms on which that name means nothing.

use std::ffi::OsString;
use std::sync::LazyLock;

/// Where a process runs. Found out without asking anybody over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The name that the operating system has for it.
    pub name: Option<String>,
    /// The platform.
    pub platform: Platform,
}

/// A platform by its way to run a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Platform {
    /// A function of AWS Lambda.
    Lambda,
    /// A task of AWS ECS, on Fargate or on instances.
    Ecs,
    /// Anything else.
    #[default]
    Other,
}

impl Host {
    /// That of this process, as it was at the first call.
    #[must_use]
    pub fn process() -> &'static Self {
        static PROCESS: LazyLock<Host> = LazyLock::new(|| {
            let name = rustix::system::uname().nodename().to_str().ok().map(str::to_owned);
            Host::of(name, |name| std::env::var_os(name))
        });
        &PROCESS
    }

    /// The host of this name, in an environment that a function knows.
    pub fn of(name: Option<String>, lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let is_set = |name: &&str| lookup(name).is_some_and(|value| !value.is_empty());
        let platform = if ["AWS_LAMBDA_FUNCTION_NAME"].iter().any(is_set) {
            Platform::Lambda
        } else if ["ECS_CONTAINER_METADATA_URI_V4", "ECS_CONTAINER_METADATA_URI"].iter().any(is_set)
        {
            Platform::Ecs
        } else {
            Platform::Other
        };
        Self { name: name.filter(|name| !name.is_empty()), platform }
    }

    /// The name, where it is that of a machine: in a function or a task it is that of a container.
    #[must_use]
    pub fn machine(&self) -> Option<&str> {
        match self.platform {
            Platform::Other => self.name.as_deref(),
            Platform::Lambda | Platform::Ecs => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, variables: &[(&str, &str)]) -> Host {
        Host::of(Some(name.to_owned()), |wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn machine_has_the_name_that_the_operating_system_has_for_it() {
        assert_eq!(host("web-1", &[("ECS_CONTAINER_METADATA_URI", "")]).machine(), Some("web-1"));
        assert_eq!(host("", &[]).machine(), None);
        assert!(Host::process().name.is_some());
    }

    #[test]
    fn functions_and_tasks_are_no_machines() {
        for (variable, platform) in [
            ("AWS_LAMBDA_FUNCTION_NAME", Platform::Lambda),
            ("ECS_CONTAINER_METADATA_URI_V4", Platform::Ecs),
            ("ECS_CONTAINER_METADATA_URI", Platform::Ecs),
        ] {
            let host = host("169-254-10-1", &[(variable, "x")]);
            assert_eq!((host.platform, host.machine()), (platform, None));
        }
    }
}
