// Sends one trace with the real X-Ray SDK for Node, sampled by central rules, and prints what it sent as JSON.
//
//     journey.cjs DAEMON_ADDRESS RULE
//
// DAEMON_ADDRESS is what AWS_XRAY_DAEMON_ADDRESS would be. Waits until the SDK has got the rule RULE from its daemon.
// Exit code 0: the rule was there, and everything was sent. 1: it was not.
'use strict';

const [address, rule] = process.argv.slice(2);
process.env.AWS_XRAY_DAEMON_ADDRESS = address;
const xray = require('aws-xray-sdk-core');

const PATIENCE_MS = 30000;
xray.setLogger({ debug() {}, info() {}, warn: console.error, error: console.error });

const documents = [];
const emitter = require('aws-xray-sdk-core/dist/lib/segment_emitter');
const send = emitter.send.bind(emitter);
emitter.send = (segment) => {
  documents.push(JSON.parse(segment.format()));
  send(segment);
};

async function ruleIsThere() {
  const sampler = xray.middleware.sampler;
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const decision = sampler.shouldSample({ serviceName: 'kaban-shop', host: 'shop.example.com', httpMethod: 'GET', urlPath: '/orders/7' });
    if (decision === rule) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function journey() {
  const segment = new xray.Segment('kaban-shop');
  segment.setMatchedSamplingRule(rule);
  segment.setUser('ada');
  segment.addAnnotation('tier', 'gold');
  segment.addAnnotation('items', 3);
  segment.addMetadata('note', { text: '注文 "7" <ok>', ratio: 0.25 });
  segment.addMetadata('k', [1, null], 'debug');
  const local = segment.addNewSubsegment('load order');
  local.addAnnotation('cached', false);
  const query = local.addNewSubsegment('orders@db.example.com');
  query.namespace = 'remote';
  query.addSqlData({ url: 'postgresql://db.example.com:5432/orders', user: 'app', database_type: 'postgres', sanitized_query: 'SELECT 1' });
  query.close();
  local.close();
  const charge = segment.addNewSubsegment('charge card');
  charge.namespace = 'remote';
  charge.http = { request: { method: 'POST', url: 'https://pay.example.com/charge', traced: true }, response: { status: 429, content_length: 12 } };
  charge.addThrottleFlag();
  charge.addErrorFlag();
  charge.close(new RangeError('card refused'));
  segment.close();
}

(async () => {
  if (!(await ruleIsThere())) {
    console.error(`no rule "${rule}" after ${PATIENCE_MS} ms`);
    process.exit(1);
  }
  journey();
  // The SDK's socket does not hold the process; the datagram is under way when its turn is over.
  setTimeout(() => {
    process.stdout.write(JSON.stringify({ documents }), () => process.exit(0));
  }, 200);
})();
