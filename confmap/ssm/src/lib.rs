//! The `ssm:` provider of a configuration, also under `awsssm:` and `parameterstore:`: parameters of AWS Systems Manager.
//!
//! References are grouped by region and role, and each group is read by `GetParameters`, ten names a call, all calls at the same
//! time. A name that several references share is asked for once. Needs a tokio runtime.
//!
//! The field's other providers ask for one parameter a call, one after the other (aereal/otel-confmap-provider-awsssm;
//! open-telemetry/opentelemetry-collector-contrib, the proposed `ssmprovider` and `parameterstoreprovider`).

use confmap::{BoxFuture, Provider, ProviderError, Reference, Retrieved};
use confmap_aws::{Aws, Failure, Reader, Reading, Spec, Wanted, field, yielded};

use crate::parameter::Parameter;

mod batch;
mod parameter;
mod reference;

/// What errors say of parameters.
const WANTED: Wanted = Wanted {
    noun: "parameter",
    action: "ssm:GetParameters",
    denied: "; ssm:GetParameter, without the s, is another action",
    not_found: "check the name, its version or label, and the region",
};

/// Reads parameters. Asks nobody before the first reference.
#[derive(Debug)]
pub struct SsmProvider {
    reader: Reader<String, Parameter>,
}

impl SsmProvider {
    /// The provider of `ssm:`, `awsssm:` and `parameterstore:`.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        Self { reader: Reader::new(aws) }
    }
}

impl Provider for SsmProvider {
    fn scheme(&self) -> &'static str {
        "ssm"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["awsssm", "parameterstore"]
    }

    fn begin(&self) {
        self.reader.begin();
    }

    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
        let question = |spec: &Spec| (spec.options.place.clone(), spec.name.clone());
        let ask = |aws, at, names| Box::pin(batch::read(aws, at, names)) as BoxFuture<'a, _>;
        Box::pin(self.reader.retrieve(references, reference::parse, question, ask, answer))
    }
}

/// What a reference yields, given its parameter.
fn answer(
    reference: &Reference,
    spec: &Spec,
    reading: Result<Reading<Parameter>, Failure>,
) -> Result<Retrieved, ProviderError> {
    let whole_or_field = |parameter: &Parameter| match &spec.key {
        None => Ok(parameter.whole()),
        Some(key) => field(parameter.value.expose(), key),
    };
    yielded(reference, spec, reading, whole_or_field, WANTED)
}

#[cfg(test)]
mod tests;
