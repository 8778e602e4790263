// Throws, and writes what OpenTelemetry's SDK records of it: a JSON line for each exception.
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const fs = require('fs');
const util = require('util');

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('shop');

class Declined extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'Declined';
  }
}

class Cart {
  constructor(items) {
    if (!items) throw new TypeError('no items');
    this.items = items;
  }
  get total() {
    return this.items.map((item) => item.price.amount);
  }
  async pay() {
    await null;
    throw new Declined('card: declined\nsecond line');
  }
  static open(path) {
    return fs.readFileSync(path);
  }
  ['odd name']() {
    return JSON.parse('{');
  }
}

async function main() {
  const { price } = await import('./prices.mjs');
  const scenarios = {
    plain: () => new Cart([{}]).total,
    constructor_of_a_class: () => new Cart(),
    static_method: () => Cart.open('/nope'),
    odd_name: () => new Cart([])['odd name'](),
    asynchronous: () => new Cart([]).pay(),
    module: () => price({}),
    caused: () => {
      try {
        Cart.open('/nope');
      } catch (cause) {
        throw new Declined('cannot pay', { cause });
      }
    },
    caused_as_node_shows_it: () => {
      try {
        try {
          Cart.open('/nope');
        } catch (cause) {
          throw new Declined('cannot open', { cause });
        }
      } catch (cause) {
        const error = new Declined('cannot pay', { cause });
        // What the console and some logging libraries record.
        error.stack = util.inspect(error);
        throw error;
      }
    },
    by_eval: () => eval('undefined.price'),
    in_a_promise: () => Promise.all([Promise.resolve().then(() => price(null))]),
    aggregate: () => Promise.any([new Cart([]).pay(), Promise.reject(new Error('other'))]),
    nobody_is_no_error: () => { throw 'a text'; },
  };
  for (const [scenario, run] of Object.entries(scenarios)) {
    const span = tracer.startSpan(scenario);
    try {
      await run();
    } catch (error) {
      span.recordException(error);
    }
    span.end();
  }
  for (const span of exporter.getFinishedSpans()) {
    const { attributes } = span.events.find((event) => event.name === 'exception');
    const known = { scenario: span.name };
    for (const key of ['type', 'message', 'stacktrace']) known[key] = attributes[`exception.${key}`];
    console.log(JSON.stringify(known));
  }
}

main();
