// Sends one trace, the journey of an order, with the real Node SDK, and prints what it sent as JSON.
//
//     node journey.cjs grpc|http|json|zipkin ENDPOINT
//
// The Python program beside this one sends the same journey; the tests compare what arrives with the printed account.
// Exit code 0: the exporter reported success. 1: it did not.
"use strict";

const { SpanKind, SpanStatusCode, context, trace } = require("@opentelemetry/api");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");

const EXPORTERS = {
  grpc: (url) => new (require("@opentelemetry/exporter-trace-otlp-grpc").OTLPTraceExporter)({ url }),
  http: (url) => new (require("@opentelemetry/exporter-trace-otlp-proto").OTLPTraceExporter)({ url }),
  json: (url) => new (require("@opentelemetry/exporter-trace-otlp-http").OTLPTraceExporter)({ url }),
  zipkin: (url) => new (require("@opentelemetry/exporter-zipkin").ZipkinExporter)({ url }),
};

/** Keeps the spans until the end, then hands them to the real exporter in one batch. */
class Recorder {
  spans = [];
  export(spans, done) {
    this.spans.push(...spans);
    done({ code: 0 });
  }
  async shutdown() {}
  sendTo(exporter) {
    return new Promise((resolve) => exporter.export(this.spans, resolve));
  }
}

/** An order is read, announced, processed, and its payment refused. */
function travel(tracer) {
  const within = (name, options, body) =>
    tracer.startActiveSpan(name, options, context.active(), (span) => {
      body(span);
      span.end();
    });
  const attributes = {
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "app.ratio": 0.25,
    "app.retried": true,
    "app.items": ["a", "b"],
    "app.note": '注文 "7" <ok>',
  };
  within("GET /Orders/{id}", { kind: SpanKind.SERVER, attributes }, (server) => {
    server.addEvent("cache miss", { "app.key": "orders:7" });
    server.addEvent("cache filled");
    within("Load Order", {}, () => {
      const attributes = {
        "db.system.name": "postgresql",
        "peer.service": "Orders-DB",
        "network.peer.address": "10.1.2.3",
        "net.peer.port": 5432,
      };
      within("SELECT orders", { kind: SpanKind.CLIENT, attributes }, () => {});
    });
    within("publish order.read", { kind: SpanKind.PRODUCER }, () => {
      const links = [{ context: server.spanContext(), attributes: { "app.reason": "cause" } }];
      within("process order.read", { kind: SpanKind.CONSUMER, links }, (consumer) => {
        consumer.setStatus({ code: SpanStatusCode.OK });
      });
    });
    within("charge card", { kind: SpanKind.CLIENT }, (charge) => {
      charge.recordException(new RangeError("card refused"));
      charge.setStatus({ code: SpanStatusCode.ERROR, message: "card refused" });
    });
  });
}

const nanos = ([seconds, rest]) => (BigInt(seconds) * 1_000_000_000n + BigInt(rest)).toString();

/** What was sent, in the shape both client programs share. */
function account(span) {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext ? span.parentSpanContext.spanId : "",
    name: span.name,
    kind: SpanKind[span.kind],
    startNanos: nanos(span.startTime),
    endNanos: nanos(span.endTime),
    status: SpanStatusCode[span.status.code],
    events: span.events.map((e) => ({ name: e.name, nanos: nanos(e.time) })),
  };
}

async function main() {
  const [protocol, endpoint] = process.argv.slice(2);
  if (!(protocol in EXPORTERS)) throw new Error(`unknown protocol ${protocol}: ${Object.keys(EXPORTERS).join(", ")}`);
  const recorder = new Recorder();
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "service.name": "Kaban-Shop", "service.version": "1.4.2" }),
    spanProcessors: [new SimpleSpanProcessor(recorder)],
  });
  provider.register();
  travel(trace.getTracer("hikyaku.journey", "0.1"));
  await provider.forceFlush();
  const exporter = EXPORTERS[protocol](endpoint);
  const verdict = await recorder.sendTo(exporter);
  await exporter.shutdown();
  if (verdict.code !== 0) console.error(verdict.error);
  process.stdout.write(JSON.stringify({ sdk: "node", spans: recorder.spans.map(account) }));
  process.exitCode = verdict.code === 0 ? 0 : 1;
}

main();
