// npm run bench:broker
// How fast the broker in the box is: from createBroker() to listening, a thousand connections at once, and records in and out for one client.
// The client is a process of its own that sends batches made before, and fetches without reading them.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tcpTransport } from '../src/core/network/transport.ts';
import { produceApi } from '../src/core/protocol/messages/00-produce.ts';
import { fetchApi } from '../src/core/protocol/messages/01-fetch.ts';
import { apiVersionsApi } from '../src/core/protocol/messages/18-api-versions.ts';
import { createBroker } from '../src/testing/index.ts';
import { batchOf } from '../test/testing/broker/requests.ts';
import { WireClient } from '../test/testing/broker/wire-client.ts';

const STARTS = 15;
const CONNECTIONS = 1000;
const VALUE_BYTES = 100;
const IN_FLIGHT = 5;
const FETCH_BYTES = 1024 * 1024;
const ROUNDS = 3;
/** Records of a batch, and batches of a run. */
const LOADS = [
  { records: 1000, batches: 2000 },
  { records: 100, batches: 10_000 },
] as const;

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

async function startUp(): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run <= STARTS; run++) {
    const begun = performance.now();
    const box = await createBroker({ brokers: 3, topics: { lines: 10 } });
    // The first one is not warm.
    if (run > 0) times.push(performance.now() - begun);
    await box.close();
  }
  console.log(`createBroker to listening, 3 nodes, warm: ${median(times).toFixed(2)} ms`);
}

async function manyConnections(): Promise<void> {
  const box = await createBroker();
  const begun = performance.now();
  const clients = Array.from({ length: CONNECTIONS }, () => new WireClient(tcpTransport, box.bootstrap[0]!));
  await Promise.all(clients.map((client) => client.call(apiVersionsApi, 0, {})));
  console.log(
    `${box.connections()} connections, each answered once: ${(performance.now() - begun).toFixed(0)} ms`,
  );
  for (const client of clients) client.close();
  await box.close();
}

/** The client's process: prints records a second in and out for each load. */
async function asClient(broker: string): Promise<void> {
  const client = new WireClient(tcpTransport, broker);
  for (const [partition, { records, batches }] of LOADS.entries()) {
    const batch = batchOf({ values: Array.from({ length: records }, () => 'x'.repeat(VALUE_BYTES)) });
    const into: number[] = [];
    const out: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const from = round * records * batches;
      into.push(await produceAll(client, { batch, batches, partition }));
      out.push(await fetchAll(client, { partition, from, to: from + records * batches }));
    }
    const rate = (ms: number[]): string => Math.round((records * batches) / median(ms)).toString();
    console.log(
      `batches of ${records} records of ${VALUE_BYTES} bytes: ${rate(into)} thousand records/s in, ${rate(out)} out`,
    );
  }
  client.close();
}

async function produceAll(
  client: WireClient,
  load: { readonly batch: Buffer; readonly batches: number; readonly partition: number },
): Promise<number> {
  const { batch: records, batches, partition } = load;
  const request = {
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: 'lines', partitionData: [{ index: partition, records }] }],
  };
  const begun = performance.now();
  let left = batches;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const { responses } = await client.call(produceApi, 9, request);
      const { errorCode } = responses[0]!.partitionResponses[0]!;
      if (errorCode !== 0) throw new Error(`Produce was answered error ${errorCode}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return performance.now() - begun;
}

async function fetchAll(
  client: WireClient,
  range: { readonly partition: number; readonly from: number; readonly to: number },
): Promise<number> {
  const begun = performance.now();
  let fetchOffset = range.from;
  while (fetchOffset < range.to) {
    const partitions = [{ partition: range.partition, fetchOffset, partitionMaxBytes: FETCH_BYTES }];
    const { responses } = await client.call(fetchApi, 12, {
      maxWaitMs: 1000,
      minBytes: 1,
      topics: [{ topic: 'lines', partitions }],
    });
    fetchOffset = nextOffset(responses[0]!.partitions[0]!.records!, fetchOffset);
  }
  return performance.now() - begun;
}

const BATCH_LENGTH_AT = 8;
const BATCH_HEAD_BYTES = 12;
const LAST_OFFSET_DELTA_AT = 23;

/** Steps over the whole batches. */
function nextOffset(records: Buffer, from: number): number {
  let offset = from;
  for (let at = 0; at + BATCH_HEAD_BYTES <= records.length;) {
    const end = at + BATCH_HEAD_BYTES + records.readInt32BE(at + BATCH_LENGTH_AT);
    if (end > records.length) break;
    offset = Number(records.readBigInt64BE(at)) + records.readInt32BE(at + LAST_OFFSET_DELTA_AT) + 1;
    at = end;
  }
  return offset;
}

async function throughput(): Promise<void> {
  const box = await createBroker({ topics: { lines: LOADS.length } });
  const file = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, ['--import', 'tsx', file, '--client', box.bootstrap[0]!], {
    stdio: 'inherit',
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  await box.close();
  if (code !== 0) throw new Error(`the client ended with ${String(code)}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { client: { type: 'string' } } });
  if (values.client !== undefined) {
    await asClient(values.client);
    return;
  }
  await startUp();
  await manyConnections();
  await throughput();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
