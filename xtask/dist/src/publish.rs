//! Publishing a layer: the calls of the AWS command line, printed or carried out.

use std::path::PathBuf;
use std::process::Command;

use crate::binary::Arch;
use crate::failure::Failure;
use crate::project;

/// What is asked of a call that publishes: `--query`'s value.
const ARN: &str = "LayerVersionArn";

/// The option that stands last, since only the answer of the call before says its value.
const VERSION_NUMBER: &str = "--version-number";

/// Who may use a published layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The account that publishes it.
    Account,
    /// Everybody.
    Everybody,
    /// An organization of AWS Organizations, by its id.
    Organization(String),
}

/// What is to be published.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// Without the architecture, which is put behind it.
    pub(crate) name: String,
    pub(crate) arch: Arch,
    pub(crate) zip: PathBuf,
    pub(crate) description: String,
}

/// Layers, where they are published, and for whom.
#[derive(Debug)]
pub(crate) struct Publication<'a> {
    pub(crate) layers: &'a [Layer],
    pub(crate) regions: &'a [String],
    pub(crate) audience: &'a Audience,
}

impl Publication<'_> {
    /// The calls as lines for a shell.
    pub(crate) fn printed(&self) -> Vec<String> {
        let steps = self.steps().into_iter();
        steps.flat_map(|(region, layer)| self.printed_step(region, layer)).collect()
    }

    /// Carries the calls out one after the other; `tell` gets the ARN of each version as soon as AWS has it.
    ///
    /// # Errors
    /// The first call that fails, with what was published before it and which calls remain.
    pub(crate) fn carry_out(&self, mut tell: impl FnMut(&str)) -> Result<(), Failure> {
        let (steps, mut published) = (self.steps(), Vec::new());
        for (index, (region, layer)) in steps.iter().enumerate() {
            let later = || {
                let later = steps.iter().skip(index + 1);
                later.flat_map(|(region, layer)| self.printed_step(region, layer))
            };
            let version = match version(&layer.publish(region, ARN)) {
                Ok((arn, version)) => {
                    tell(&arn);
                    published.push(arn);
                    version
                }
                Err(failure) => {
                    let remaining = self.printed_step(region, layer).into_iter().chain(later());
                    return Err(stopped(&failure, &published, remaining));
                }
            };
            if let Some(call) = layer.permit(region, self.audience) {
                let call = [call, words(&[VERSION_NUMBER, &version])].concat();
                if let Err(failure) = project::output(command(&call)) {
                    let remaining = std::iter::once(aws(&call)).chain(later());
                    return Err(stopped(&failure, &published, remaining));
                }
            }
        }
        Ok(())
    }

    fn steps(&self) -> Vec<(&str, &Layer)> {
        let of_region = |region| self.layers.iter().map(move |layer| (region, layer));
        self.regions.iter().map(String::as_str).flat_map(of_region).collect()
    }

    fn printed_step(&self, region: &str, layer: &Layer) -> Vec<String> {
        match layer.permit(region, self.audience) {
            None => vec![aws(&layer.publish(region, ARN))],
            // Nobody is let in when there is no version to let them into.
            Some(permit) => vec![
                format!("VERSION=$({}) &&", aws(&layer.publish(region, "Version"))),
                format!("{} {VERSION_NUMBER} \"$VERSION\"", aws(&permit)),
            ],
        }
    }
}

impl Layer {
    fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.arch)
    }

    /// No runtimes are named: the extension is static and serves all of them.
    fn publish(&self, region: &str, answer: &str) -> Vec<String> {
        words(&[
            "lambda",
            "publish-layer-version",
            "--region",
            region,
            "--layer-name",
            &self.full_name(),
            "--description",
            &self.description,
            "--license-info",
            "Apache-2.0",
            "--compatible-architectures",
            self.arch.in_lambda(),
            "--zip-file",
            &format!("fileb://{}", self.zip.display()),
            "--query",
            answer,
            "--output",
            "text",
        ])
    }

    /// The call that lets others use a version, whose number comes behind it.
    fn permit(&self, region: &str, audience: &Audience) -> Option<Vec<String>> {
        let mut call = words(&[
            "lambda",
            "add-layer-version-permission",
            "--region",
            region,
            "--layer-name",
            &self.full_name(),
            "--action",
            "lambda:GetLayerVersion",
            "--statement-id",
        ]);
        call.extend(match audience {
            Audience::Account => return None,
            Audience::Everybody => words(&["everybody", "--principal", "*"]),
            Audience::Organization(id) => {
                words(&["organization", "--principal", "*", "--organization-id", id])
            }
        });
        Some(call)
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new("aws");
    command.args(words);
    command
}

/// Makes a call that publishes a version, and returns its ARN and its number.
fn version(call: &[String]) -> Result<(String, String), Failure> {
    let arn = project::output(command(call))?;
    // The ARN of a layer's version ends with its number.
    let version = arn.rsplit(':').next().unwrap_or_default().to_owned();
    if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::new(format!("`{}` answered with {arn:?}, not an ARN", aws(call))));
    }
    Ok((arn, version))
}

/// What a call that failed leaves behind.
fn stopped(
    failure: &Failure,
    published: &[String],
    remaining: impl Iterator<Item = String>,
) -> Failure {
    let list =
        |lines: Vec<String>| lines.iter().map(|line| format!("\n  {line}")).collect::<String>();
    let published = match published {
        [] => "nothing was published".to_owned(),
        arns => format!("published so far:{}", list(arns.to_vec())),
    };
    Failure::new(format!("{failure}\n{published}\nleft to do:{}", list(remaining.collect())))
}

fn aws(words: &[String]) -> String {
    format!("aws {}", shell(words))
}

/// Words for a shell. What it would not take as it is stands in quotes.
pub(crate) fn shell(words: &[String]) -> String {
    let plain = |word: &str| {
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:=,".contains(c);
        !word.is_empty() && word.chars().all(safe)
    };
    let quoted = words.iter().map(|word| match plain(word) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
