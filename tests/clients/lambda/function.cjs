// A function with the real Node SDK, and the loop that a managed runtime has around it: what function.py beside this one does.
"use strict";

const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

function spans(tracer, name, count) {
  return Array.from({ length: count }, (_, number) => {
    const span = tracer.startSpan(`${name} ${number}`);
    span.end();
    return span.spanContext().spanId;
  });
}

async function handle(provider, tracer, event) {
  const made = spans(tracer, "handler", event.spans ?? 1);
  await provider.forceFlush();
  if (event.do === "fail") throw new RangeError("the event says so");
  if (event.do === "exit") process.exit(7);
  if (event.do === "hang") await new Promise((resolve) => setTimeout(resolve, 3600_000));
  return made;
}

async function main() {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "service.name": "orders" }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer("hikyaku.function");
  let begun = spans(tracer, "init", 1);
  await provider.forceFlush();
  for (;;) {
    const next = await fetch(`${API}/invocation/next`);
    const request = next.headers.get("lambda-runtime-aws-request-id");
    const post = (kind, body) =>
      fetch(`${API}/invocation/${request}/${kind}`, { method: "POST", body: JSON.stringify(body) });
    try {
      const made = await handle(provider, tracer, await next.json());
      const answer = { spans: begun.concat(made) };
      begun = [];
      await post("response", answer);
    } catch (error) {
      await post("error", { errorType: error.name, errorMessage: error.message });
    }
  }
}

main();
