"""A function with the real Python SDK, and the loop that a managed runtime has around it.

An event is an object: `do` is answer, fail, exit or hang, `spans` how many spans to make. The answer names the spans, which the SDK
has handed over by then. The SDK is set up before the first invocation is asked for, and one span is sent from there.
"""

import json
import os
import threading
import time
import urllib.request

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"


def call(path, body=None):
    with urllib.request.urlopen(urllib.request.Request(API + path, data=body)) as answer:
        return answer.headers, answer.read()


def spans(tracer, name, count):
    made = []
    for number in range(count):
        with tracer.start_as_current_span(f"{name} {number}") as span:
            made.append(f"{span.get_span_context().span_id:016x}")
    return made


def handle(provider, tracer, event):
    made = spans(tracer, "handler", event.get("spans", 1))
    if not provider.force_flush():
        raise RuntimeError("the SDK could not hand over its spans")
    if event.get("do") == "fail":
        raise ValueError("the event says so")
    if event.get("do") == "exit":
        os._exit(7)
    while event.get("do") == "hang":
        time.sleep(1)
    return made


def work(provider, tracer, begun):
    while True:
        headers, body = call("/invocation/next")
        request = headers["Lambda-Runtime-Aws-Request-Id"]
        try:
            made = handle(provider, tracer, json.loads(body))
            answer = json.dumps({"spans": begun + made}).encode()
            begun = []
            call(f"/invocation/{request}/response", answer)
        except (ValueError, RuntimeError) as error:
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
            call(f"/invocation/{request}/error", json.dumps(failure).encode())


def main():
    provider = TracerProvider(resource=Resource.create({"service.name": "orders"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("hikyaku.function")
    begun = spans(tracer, "init", 1)
    provider.force_flush()
    # A managed instance hands out as many invocations at once as ask for one.
    for _ in range(int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1")) - 1):
        threading.Thread(target=work, args=(provider, tracer, []), daemon=True).start()
    work(provider, tracer, begun)


main()
