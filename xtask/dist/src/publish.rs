//! Publishing a layer: the calls of the AWS command line, printed or carried out.

use std::path::PathBuf;
use std::process::Command;

use crate::binary::Arch;
use crate::failure::Failure;
use crate::project;

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

/// Publishes layers in regions, one after the other.
///
/// # Errors
/// The first call that fails, when they are carried out.
pub(crate) fn publish(
    layers: &[Layer],
    regions: &[String],
    audience: &Audience,
    is_run: bool,
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for region in regions {
        for layer in layers {
            let call = layer.publish(region);
            if !is_run {
                lines.push(quoted(&call));
                lines.extend(layer.permit(region, "$VERSION", audience).map(|call| quoted(&call)));
                continue;
            }
            let answer = project::output(command(&call))?;
            // The ARN of a layer's version ends with its number.
            let version = answer.rsplit(':').next().unwrap_or_default();
            if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Failure::new(format!("{region} answered with {answer:?}, not an ARN")));
            }
            if let Some(call) = layer.permit(region, version, audience) {
                project::output(command(&call))?;
            }
            lines.push(answer);
        }
    }
    Ok(lines)
}

impl Layer {
    fn full_name(&self) -> String {
        format!("{}-{}", self.name, self.arch)
    }

    /// No runtimes are named: the extension is static and serves all of them.
    fn publish(&self, region: &str) -> Vec<String> {
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
            "LayerVersionArn",
            "--output",
            "text",
        ])
    }

    fn permit(&self, region: &str, version: &str, audience: &Audience) -> Option<Vec<String>> {
        let mut call = words(&[
            "lambda",
            "add-layer-version-permission",
            "--region",
            region,
            "--layer-name",
            &self.full_name(),
            "--version-number",
            version,
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

/// A call for a shell. What a shell would not take as it is stands in quotes.
fn quoted(words: &[String]) -> String {
    let plain = |word: &&String| {
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:=$".contains(c);
        !word.is_empty() && word.chars().all(safe)
    };
    let quoted = words.iter().map(|word| match plain(&word) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    std::iter::once("aws".to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer() -> Layer {
        Layer {
            name: "hikyaku".to_owned(),
            arch: Arch::Amd64,
            zip: PathBuf::from("target/dist/it's here.zip"),
            description: "hikyaku 1".to_owned(),
        }
    }

    #[test]
    fn calls_are_printed_for_each_region_as_a_shell_takes_them() {
        let regions = ["eu-west-1", "us-east-1"].map(str::to_owned);
        let lines = publish(&[layer()], &regions, &Audience::Everybody, false).unwrap();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[0],
            "aws lambda publish-layer-version --region eu-west-1 --layer-name hikyaku-amd64 \
             --description 'hikyaku 1' --license-info Apache-2.0 --compatible-architectures x86_64 \
             --zip-file 'fileb://target/dist/it'\\''s here.zip' --query LayerVersionArn --output text"
        );
        assert!(lines[1].ends_with("--statement-id everybody --principal '*'"), "{}", lines[1]);
        assert!(lines[2].contains("--region us-east-1"));
    }

    #[test]
    fn nobody_else_may_use_it_unless_asked_for() {
        let regions = ["eu-west-1".to_owned()];
        let lines = publish(&[layer()], &regions, &Audience::Account, false).unwrap();
        assert_eq!(lines.len(), 1);
        let organization = Audience::Organization("o-1".to_owned());
        let lines = publish(&[layer()], &regions, &organization, false).unwrap();
        assert!(lines[1].ends_with("--principal '*' --organization-id o-1"), "{}", lines[1]);
    }
}
