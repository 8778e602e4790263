//! How the platform runs the environment.

/// The ways there are, by `AWS_LAMBDA_INITIALIZATION_TYPE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Made when an invocation needs it, and frozen between invocations.
    #[default]
    OnDemand,
    /// Made in advance: the first invocation may be long after the init phase.
    Provisioned,
    /// Made once, and cloned from a snapshot that is taken after the init phase.
    SnapStart,
    /// Never frozen, with several invocations at a time. There are no INVOKE events.
    ManagedInstances,
}

impl Mode {
    /// The mode that this value means. An unknown one is taken for the ordinary one.
    #[must_use]
    pub fn of(initialization_type: Option<&str>) -> Self {
        match initialization_type {
            Some("provisioned-concurrency") => Self::Provisioned,
            Some("snap-start") => Self::SnapStart,
            Some("lambda-managed-instances") => Self::ManagedInstances,
            _ => Self::OnDemand,
        }
    }

    /// Whether there are INVOKE events, between which the process is frozen.
    #[must_use]
    pub fn is_invoked(self) -> bool {
        self != Self::ManagedInstances
    }
}
