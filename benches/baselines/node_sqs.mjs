// What a user would write in Node instead: rows from a cursor, sent in batches of ten with the
// AWS SDK, many requests in flight over connections that are kept. Prints one JSON line.
import { Agent } from "node:http";
import { parseArgs } from "node:util";
import { SQSClient, SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import pg from "pg";
import Cursor from "pg-cursor";

const { values: options } = parseArgs({
  options: {
    host: { type: "string" }, database: { type: "string" }, user: { type: "string" },
    query: { type: "string" }, endpoint: { type: "string" }, "queue-url": { type: "string" },
    "in-flight": { type: "string", default: "128" },
  },
});
const READ_AT_ONCE = 2000;
const BATCH = 10;
const inFlight = Number(options["in-flight"]);

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const sqs = new SQSClient({
  region: "us-east-1",
  endpoint: options.endpoint,
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: inFlight }) },
});

async function send(rows) {
  let entries = rows.map((row, i) => ({ Id: String(i), MessageBody: JSON.stringify(row) }));
  while (entries.length > 0) {
    const answer = await sqs.send(
      new SendMessageBatchCommand({ QueueUrl: options["queue-url"], Entries: entries }));
    const failed = new Set((answer.Failed ?? []).map((entry) => entry.Id));
    entries = entries.filter((entry) => failed.has(entry.Id));
  }
}

async function* batches(cursor) {
  for (let rows = await cursor.read(READ_AT_ONCE); rows.length > 0; rows = await cursor.read(READ_AT_ONCE)) {
    for (let i = 0; i < rows.length; i += BATCH) yield rows.slice(i, i + BATCH);
  }
}

const client = new pg.Client({ host: options.host, database: options.database, user: options.user });
await client.connect();
const begun = performance.now();
const usedBefore = process.cpuUsage();
const cursor = client.query(new Cursor(options.query));
const source = batches(cursor);
let sent = 0;

// So many workers, each with one request in flight, take the batches from one cursor.
async function work() {
  for await (const batch of source) {
    await send(batch);
    sent += batch.length;
  }
}

await Promise.all(Array.from({ length: inFlight }, work));
const seconds = (performance.now() - begun) / 1000;
const used = process.cpuUsage(usedBefore);
await cursor.close();
await client.end();
console.log(JSON.stringify({ messages: sent, seconds, cpu_seconds: (used.user + used.system) / 1e6 }));
sqs.destroy();
