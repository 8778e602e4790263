"""Holds files against the schemas and parsers that their readers publish, and tells the complaints as JSON.

Each argument is KIND=PATH; the kinds are the keys of CHECKS.
"""

import json
import re
import shutil
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


# What systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5) and systemd.resource-control(5) call the directives that we use.
DIRECTIVES = {
    "Unit": "After Description Wants",
    "Service": """
        CapabilityBoundingSet DynamicUser EnvironmentFile ExecReload ExecStart ExecStartPre LockPersonality MemoryDenyWriteExecute
        MemoryMax NoNewPrivileges PrivateDevices PrivateTmp ProtectControlGroups ProtectHome ProtectKernelModules
        ProtectKernelTunables ProtectSystem Restart RestartSec RestrictAddressFamilies RestrictNamespaces SystemCallArchitectures
        SystemCallFilter TimeoutStopSec Type
    """,
    "Install": "WantedBy",
}


def systemd(path):
    """The manual's grammar and names; where systemd is, its own opinion, too."""
    import configparser

    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    try:
        parser.read(path)
    except configparser.Error as error:
        return [str(error)]
    complaints = [f"no section {name}" for name in DIRECTIVES if not parser.has_section(name)]
    for section in parser.sections():
        known = DIRECTIVES.get(section, "").split()
        complaints += [
            f"{name} is no directive of [{section}] that we use: misspelt, or to be added to the list"
            for name in parser[section]
            if name not in known
        ]
    return complaints + systemd_itself(path)


def systemd_itself(path):
    """It wants a file that ends as a unit's name does, and programs that are there."""
    if shutil.which("systemd-analyze") is None:
        return []
    text = Path(path).read_text()
    text = re.sub(r"^(Exec\w+=)/\S+", rf"\1{sys.executable}", text, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "checked.service"
        unit.write_text(text)
        ended = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    # What it says of other units is the machine's affair.
    return [line for line in ended.stderr.splitlines() if unit.name in line]


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
