"""Sends one trace, the journey of an order, with the real Python SDK, and prints what it sent as JSON.

    journey.py grpc|http|zipkin ENDPOINT

The Node program beside this one sends the same journey; the tests compare what arrives with the printed account.
Exit code 0: the exporter reported success. 1: it did not.
"""

import json
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode


class Recorder(SpanExporter):
    """Passes one batch of all spans on at the end, and remembers the exporter's verdict."""

    def __init__(self, inner):
        self.inner = inner
        self.spans = []
        self.verdict = None

    def export(self, spans):
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self):
        self.verdict = self.inner.export(self.spans)
        self.inner.shutdown()


def exporter_for(protocol, endpoint):
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=20)
    if protocol == "http":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, timeout=20)
    if protocol == "zipkin":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter

        return ZipkinExporter(endpoint=endpoint, timeout=20)
    raise SystemExit(f"unknown protocol {protocol!r}: grpc, http or zipkin")


def travel(tracer):
    """An order is read, announced, processed, and its payment refused."""
    with tracer.start_as_current_span(
        "GET /Orders/{id}",
        kind=SpanKind.SERVER,
        attributes={
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "app.ratio": 0.25,
            "app.retried": True,
            "app.items": ["a", "b"],
            "app.note": "注文 \"7\" <ok>",
        },
    ) as server:
        server.add_event("cache miss", {"app.key": "orders:7"})
        server.add_event("cache filled")
        with tracer.start_as_current_span("Load Order"):
            with tracer.start_as_current_span(
                "SELECT orders",
                kind=SpanKind.CLIENT,
                attributes={
                    "db.system.name": "postgresql",
                    "peer.service": "Orders-DB",
                    "network.peer.address": "10.1.2.3",
                    "net.peer.port": 5432,
                },
            ):
                pass
        with tracer.start_as_current_span("publish order.read", kind=SpanKind.PRODUCER):
            with tracer.start_as_current_span(
                "process order.read",
                kind=SpanKind.CONSUMER,
                links=[Link(server.get_span_context(), {"app.reason": "cause"})],
            ) as consumer:
                consumer.set_status(Status(StatusCode.OK))
        with tracer.start_as_current_span("charge card", kind=SpanKind.CLIENT) as charge:
            charge.record_exception(ValueError("card refused"))
            charge.set_status(Status(StatusCode.ERROR, "card refused"))


def account(span):
    """What was sent, in the shape both client programs share."""
    context = span.get_span_context()
    return {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "parentSpanId": f"{span.parent.span_id:016x}" if span.parent else "",
        "name": span.name,
        "kind": span.kind.name,
        "startNanos": str(span.start_time),
        "endNanos": str(span.end_time),
        "status": span.status.status_code.name,
        "events": [{"name": e.name, "nanos": str(e.timestamp)} for e in span.events],
    }


def main():
    protocol, endpoint = sys.argv[1], sys.argv[2]
    recorder = Recorder(exporter_for(protocol, endpoint))
    resource = Resource.create({"service.name": "Kaban-Shop", "service.version": "1.4.2"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(recorder))
    trace.set_tracer_provider(provider)
    travel(provider.get_tracer("hikyaku.journey", "0.1"))
    provider.shutdown()
    json.dump({"sdk": "python", "spans": [account(s) for s in recorder.spans]}, sys.stdout)
    return 0 if recorder.verdict == SpanExportResult.SUCCESS else 1


if __name__ == "__main__":
    sys.exit(main())
