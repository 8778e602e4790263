"""Runs the programs beside this file, and writes a case of the exceptions of each: `../translate/stack_traces_of_<language>/in.json`.

    python3 record.py [LANGUAGE...]

They run in /srv/shop, so that their paths are the same everywhere. Needed are: for Python and Node what `cargo xtask parts` sets up; for Java a JDK
and Maven; Go; Ruby; PHP; for .NET Mono's compiler (Debian's `mono-mcs`) and the runtime in the package `dotnetcore2` of PyPI. Of these, Python, Node,
Java and Go have OpenTelemetry's SDK record the exceptions; for the others, whose SDKs are not in a registry that this project uses, the program
writes the same text as their SDK. Then record what the reference makes of it: `cargo xtask parity awsxray`.
"""

import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = os.path.join(HERE, "../../../../.parts")
PLACE = "/srv/shop"
DOTNET = "import dotnetcore2.runtime as runtime; print(runtime.get_runtime_path())"

# What `telemetry.sdk.language` is, where it is not the folder's name.
LANGUAGES = {"node": "nodejs"}

COMMANDS = {
    "python": "exec /usr/bin/python3 shop.py",
    "node": "exec node shop.cjs",
    "java": "mvn -q dependency:copy-dependencies -DoutputDirectory=jars >&2 && javac -cp 'jars/*' -d . Shop.java && exec java -XX:MaxJavaStackTraceDepth=60 -cp '.:jars/*' Shop",
    "go": "exec go run .",
    "ruby": "exec ruby shop.rb",
    "php": "exec php shop.php",
    "dotnet": "mcs -out:shop.dll Shop.cs >&2 && python3 -m venv ../runtime && ../runtime/bin/pip -q install dotnetcore2==3.1.23"
    f" && exec $(../runtime/bin/python -c '{DOTNET}') shop.dll",
}
VARIABLES = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "NODE_PATH": "../parts/node/node_modules",
    "GOFLAGS": "-mod=mod -modcacherw",
    "GOMODCACHE": f"{PLACE}/modules",
    "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
}


def exceptions(language):
    folder = os.path.join(PLACE, language)
    shutil.copytree(os.path.join(HERE, language), folder, dirs_exist_ok=True)
    environment = os.environ | VARIABLES
    if language == "python":
        sdk = os.path.join(PLACE, "sdk")
        if not os.path.islink(sdk):
            version = os.listdir(os.path.join(PARTS, "python/lib"))[0]
            os.symlink(os.path.abspath(os.path.join(PARTS, "python/lib", version, "site-packages")), sdk)
        environment["PYTHONPATH"] = sdk
    program = subprocess.run(
        ["sh", "-c", COMMANDS[language]], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True, timeout=600
    )
    return [json.loads(line) for line in program.stdout.splitlines()]


def attributes(pairs):
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]


def span(number, exception):
    scenario = exception.pop("scenario")
    event = {f"exception.{key}": value for key, value in exception.items() if value is not None}
    return {
        "traceId": "6554ab10a1b2c3d4e5f60718293a4b5c",
        "spanId": f"{number + 1:016x}",
        "parentSpanId": "1111111111111111",
        "name": scenario,
        "kind": 1,
        "startTimeUnixNano": "1700047632123000000",
        "endTimeUnixNano": "1700047632456000000",
        "status": {"code": 2},
        "events": [
            {"timeUnixNano": "1700047632200000000", "name": "exception", "attributes": attributes(event)}
        ],
    }


def main(languages):
    os.makedirs(PLACE, exist_ok=True)
    parts = os.path.join(PLACE, "parts")
    if not os.path.islink(parts):
        os.symlink(os.path.abspath(PARTS), parts)
    for language in languages:
        spans = [span(number, exception) for number, exception in enumerate(exceptions(language))]
        name = LANGUAGES.get(language, language)
        resource = attributes({"service.name": "shop", "telemetry.sdk.language": name})
        request = {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"spans": spans}]}]}
        case = os.path.join(HERE, f"../translate/stack_traces_of_{language}")
        os.makedirs(case, exist_ok=True)
        with open(os.path.join(case, "in.json"), "w") as file:
            json.dump(request, file, indent=2, ensure_ascii=False)
            file.write("\n")
        print(f"{language}: {len(spans)} exceptions")


main(sys.argv[1:] or list(COMMANDS))
