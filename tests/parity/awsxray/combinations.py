"""Writes cases of spans whose attributes are drawn by lot, always the same ones.

    python3 combinations.py ../../../exporters/awsxray/testdata/translate

What is known to differ from the reference (names with signs, a key in both of its spellings, the newer keys of databases) has cases of its
own and is not drawn here, so that these cases have no differences at all.
"""

import base64
import json
import os
import random
import sys

CASES = 12
SPANS = 24

EVERY_SPAN = {
    "peer.service": ["payments"],
    "aws.local.service": ["shop"],
    "aws.remote.service": ["AWS::S3", "AWS.SDK.SQS", "payments"],
    "aws.remote.operation": ["GET /"],
    "aws.span.kind": ["LOCAL_ROOT", "SERVER", "CONSUMER"],
    "enduser.id": ["ann", ""],
    "aws.xray.annotations": [["tier", "n"], "tier", []],
    "aws.xray.inprogress": [True, False, "true"],
    "aws.xray.metadata.ns": ['{"a":1}', "x", "[1]", '{"b":{"c":null}}'],
    "aws.xray.metadata.default": ['{"zz":1}'],
    "tier": ["gold", ""],
    "n": [1, -5, 9007199254740993],
    "f": [1.5, 1e21, 1e-7, 100.0],
    "b": [True, False],
    "list": [["x", 1, True, None], []],
    "map": [{"k": {"z": 1}, "a": [1]}],
    "bytes": [b"ab\xff"],
    "nothing": [None],
    'quote"d': ['a"b\\\n\u0001<>&\u2028é'],
}
HTTP_OLD = {
    "http.method": ["GET", "POST", ""],
    "http.user_agent": ["curl/8"],
    "http.status_code": [200, 302, 404, 429, 500, 503, 600, 99, "404", 0],
    "http.url": ["https://a.example.com/x?y=1", "http://u:p@h/", "", "no url"],
    "http.scheme": ["http", "https", "ftp"],
    "http.host": ["h.example.com", "h.example.com:8080"],
    "http.server_name": ["sn.example.com"],
    "http.target": ["/t?q=1", "t", "/"],
    "net.host.port": [80, 443, 8080, "8080"],
    "net.host.name": ["nh.example.com"],
    "net.peer.name": ["np.example.com"],
    "net.peer.port": [80, 443, 9000, "9000"],
    "http.client_ip": ["1.2.3.4"],
    "http.status_text": ["Oops"],
    "http.route": ["/a/{b}"],
    "http.response_content_length": [20],
}
HTTP_STABLE = {
    "http.request.method": ["GET", "POST"],
    "user_agent.original": ["Mozilla"],
    "http.response.status_code": [200, 404, 429, 500, "500"],
    "url.full": ["https://b.example.com/x?y=1", ""],
    "url.scheme": ["http", "https"],
    "url.path": ["/p", "p"],
    "url.query": ["a=b", "?a=b"],
    "network.peer.address": ["10.1.1.1", "peer", "::2"],
    "network.peer.port": [80],
    "network.protocol.version": ["2"],
    "client.port": [5],
    "http.request.body.size": [7],
    "http.route": ["/a/{b}"],
    "error.type": ["500"],
}
DATABASE = {
    "db.system": ["mysql", "postgresql", "redis", "mongodb", "h2", "other_sql", "mssql", "oracle", "dynamodb"],
    "db.name": ["shop"],
    "db.connection_string": ["jdbc:mysql://h:1/x", "postgresql://h:5432/db", "Server=(localdb)", "mysql://h"],
    "db.user": ["ann"],
    "db.statement": ["SELECT 1", ""],
    "db.operation": ["SELECT"],
    "net.peer.name": ["db.example.com"],
}
AWS = {
    "rpc.system": ["grpc", "aws-api", "java_rmi"],
    "rpc.service": ["Orders"],
    "rpc.method": ["Put"],
    "aws.operation": ["GetItem"],
    "aws.account_id": ["999"],
    "aws.region": ["us-east-2"],
    "aws.request_id": ["r1"],
    "aws.queue_url": ["https://sqs.example.com/q"],
    "messaging.url": ["https://sqs.example.com/other"],
    "aws.table_name": ["orders"],
    "aws.dynamodb.table_names": [["a"], ["a", "b"], [], "c"],
    "aws.service": ["S3", "DynamoDB"],
    "aws.s3.bucket": ["b"],
    "messaging.message_payload_size_bytes": [77],
    "http.status_code": [200, 400, 503],
}
RESOURCE = {
    "service.name": ["checkout"],
    "service.version": ["1.2"],
    "service.namespace": ["shop"],
    "service.instance.id": ["1234", "abc", "i-1"],
    "telemetry.sdk.name": ["opentelemetry"],
    "telemetry.sdk.language": ["java", "python", "dotnet", ""],
    "telemetry.sdk.version": ["1.0"],
    "telemetry.distro.version": ["2"],
    "cloud.provider": ["aws", "aws", "gcp"],
    "cloud.platform": ["aws_ecs", "aws_ec2", "aws_eks", "aws_elastic_beanstalk", "aws_app_runner", "aws_lambda", "gcp_x"],
    "cloud.account.id": ["111122223333"],
    "cloud.availability_zone": ["eu-west-1a"],
    "cloud.region": ["eu-west-1"],
    "aws.ecs.launchtype": ["ec2", "fargate", "EC2"],
    "aws.ecs.container.arn": ["arn:c"],
    "aws.ecs.cluster.arn": ["arn:cluster"],
    "aws.ecs.task.arn": ["arn:task"],
    "aws.ecs.task.family": ["web"],
    "container.name": ["web"],
    "container.id": ["0a1b"],
    "container.image.tags": [["v2", "v3"], []],
    "host.id": ["i-0", ""],
    "host.type": ["t3"],
    "host.image.id": ["ami"],
    "k8s.cluster.name": ["blue"],
    "k8s.pod.name": ["web-1"],
    "aws.log.group.arns": [
        "arn:aws:logs:eu:1:log-group:/a:*&arn:aws:logs:eu:1:log-group:/b",
        ["arn:aws:logs:eu:1:log-group:/a"],
        [],
    ],
    "aws.log.group.names": [["/x"], "/y", "/y&/z"],
    "team": ["red"],
    "num": [4],
    "lst": [["a"]],
}
EXCEPTION = {
    "exception.type": ["E", "", 7],
    "exception.message": ["boom", "", " a\nb"],
    "exception.escaped": [True],
    "http.response.status_code": [500, "501"],
    "aws.http.error_message": ["slow down"],
    "message.type": ["RECEIVED", "SENT"],
    "messaging.message_payload_size_bytes": [5, 0],
}
TRACES = {
    "java": "a.E: x\n\tat a.B.c(B.java:1)\n\tat d(Unknown Source)\nCaused by: q.R: m\n\tat x.Y.z(Y.java:9)\n\t... 3 more\n",
    "python": 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    x\nE: boom',
    "dotnet": "System.E: boom\n   at A.B(C d) in /src/a.cs:line 7\n   at A.Main()",
}
SETTINGS = [
    "",
    "index_all_attributes: true\n",
    "indexed_attributes: [tier, http.method, n, list, otel.resource.team, otel.resource.lst, aws.region, db.name, http.status_code]\n",
    "aws_log_groups: [/shop]\n",
    "index_all_attributes: true\nindexed_attributes: [http.url, url.full, tier]\n",
]

lot = random.Random(20)


def value(plain):
    match plain:
        case None:
            return {}
        case bool():
            return {"boolValue": plain}
        case int():
            return {"intValue": str(plain)}
        case float():
            return {"doubleValue": plain}
        case bytes():
            return {"bytesValue": base64.b64encode(plain).decode()}
        case list():
            return {"arrayValue": {"values": [value(member) for member in plain]}}
        case dict():
            return {"kvlistValue": {"values": attributes(plain)}}
        case _:
            return {"stringValue": plain}


def attributes(plain):
    return [{"key": key, "value": value(member)} for key, member in plain.items()]


def drawn(pool, most):
    keys = lot.sample(sorted(pool), lot.randint(0, min(most, len(pool))))
    return {key: lot.choice(pool[key]) for key in keys}


def event(language):
    own = drawn(EXCEPTION, 4)
    if lot.random() < 0.5:
        own["exception.stacktrace"] = TRACES.get(language, "x\n")
    name = lot.choice(["exception", "exception", "HTTP request failure", "message"])
    return {"timeUnixNano": "1700047632200000000", "name": name, "attributes": attributes(own)}


def span(number, resource):
    language = resource.get("telemetry.sdk.language")
    own = drawn(EVERY_SPAN, 5) | drawn(lot.choice([HTTP_OLD, HTTP_STABLE, DATABASE, AWS]), 9)
    if resource.get("cloud.provider") == "gcp":
        # A local root outside of AWS makes the reference panic.
        own.pop("aws.span.kind", None)
    made = {
        "traceId": "6554ab10a1b2c3d4e5f60718293a4b5c",
        "spanId": f"{number + 4096:016x}",
        "name": lot.choice(["GET /x", "op", "é" * 50, "SELECT shop"]),
        "kind": lot.randint(0, 5),
        "startTimeUnixNano": str(1700047632000000000 + lot.randint(0, 999999999)),
        "endTimeUnixNano": str(1700047633000000000 + lot.randint(0, 999999999)),
        "attributes": attributes(own),
        "events": [event(language) for _ in range(lot.choice([0, 0, 0, 1, 2]))],
        "status": lot.choice([{}, {"code": 1}, {"code": 2}, {"code": 2, "message": "bad"}]),
    }
    if lot.random() < 0.6:
        made["parentSpanId"] = "1111111111111111"
    if lot.random() < 0.2:
        link = {"traceId": "6554ab10a1b2c3d4e5f60718293a4b5d", "spanId": "2222222222222222"}
        made["links"] = [link | {"attributes": attributes(drawn(EVERY_SPAN, 2))}]
    return made


def main(cases):
    for number in range(CASES):
        groups = []
        for first in range(0, SPANS, 6):
            resource = drawn(RESOURCE, 12)
            spans = [span(first + place, resource) for place in range(6)]
            groups.append({"resource": {"attributes": attributes(resource)}, "scopeSpans": [{"spans": spans}]})
        folder = os.path.join(cases, f"combinations_{number:02}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "in.json"), "w") as file:
            json.dump({"resourceSpans": groups}, file, indent=1, ensure_ascii=False)
            file.write("\n")
        settings = SETTINGS[number % len(SETTINGS)]
        if settings:
            with open(os.path.join(folder, "config.yaml"), "w") as file:
                file.write(settings)


main(sys.argv[1])
