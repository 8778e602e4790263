"""Holds files against the schemas and parsers that their readers publish, and tells the complaints as JSON.

Each argument is KIND=PATH; the kinds are the keys of CHECKS.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

BIN = Path(sys.executable).parent
PARTS = BIN.parent.parent


def run(*command):
    """What a checker has to say; nothing when it is content."""
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return [] if ended.returncode == 0 else [(ended.stdout + ended.stderr).strip()]


def builtin(name):
    return lambda path: run(BIN / "check-jsonschema", "--builtin-schema", f"vendor.{name}", path)


def cloudformation(path):
    return run(BIN / "cfn-lint", "--non-zero-exit-code", "informational", path)


def hcl(path):
    """HashiCorp's own parser: see tests/clients/hcl."""
    ended = subprocess.run([PARTS / "hcl" / "hcl", path], capture_output=True, text=True)
    return json.loads(ended.stdout)["complaints"] if ended.returncode == 0 else [ended.stderr]


def pascal(value, keep=("options",)):
    """The API's `camelCase` keys as CloudFormation writes them; what the user names stays."""
    if isinstance(value, dict):
        return {
            key[0].upper() + key[1:]: inner if key in keep else pascal(inner)
            for key, inner in value.items()
        }
    return [pascal(inner) for inner in value] if isinstance(value, list) else value


def ecs(path):
    """CloudFormation's schema of a task definition is the API's, with the limits of each value."""
    task = json.loads(Path(path).read_text())
    resource = {"Type": "AWS::ECS::TaskDefinition", "Properties": pascal(task)}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Task": resource}}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(template, file)
        file.flush()
        return cloudformation(file.name)


def cyclonedx(path):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(path).read_text())
    return [] if error is None else [str(error)]


def systemd(path):
    """The manual's grammar: sections, then assignments."""
    import configparser

    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    try:
        parser.read(path)
    except configparser.Error as error:
        return [str(error)]
    missing = {"Unit", "Service", "Install"} - set(parser.sections())
    return [f"no section {name}" for name in sorted(missing)]


CHECKS = {
    "cloudformation": cloudformation,
    "compose": builtin("compose-spec"),
    "cyclonedx": cyclonedx,
    "ecs": ecs,
    "hcl": hcl,
    "systemd": systemd,
    "workflow": builtin("github-workflows"),
}


def main():
    complaints = []
    for argument in sys.argv[1:]:
        kind, path = argument.split("=", 1)
        complaints += [f"{path} ({kind}): {complaint}" for complaint in CHECKS[kind](path)]
    print(json.dumps(complaints))


main()
