// Prints by how many megabytes the heap grows, young garbage collected, while a million records that wait for others to be settled come and go.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { rootDelivery, type Delivery } from '../../src/flow/delivery.ts';
import type { Settlement } from '../../src/flow/settlement.ts';

const RECORDS = 1_000_000;
const ON_THEIR_WAY = 1_000;
const MB = 1_000_000;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

const nowhere = { settle() {} } as unknown as Settlement;
let sequence = 0;

async function comeAndGo(records: number): Promise<void> {
  for (let done = 0; done < records; done += ON_THEIR_WAY) {
    const kept: Delivery<number>[] = [];
    for (let at = 0; at < ON_THEIR_WAY; at += 1)
      kept.push(rootDelivery(at, nowhere, sequence++, 0, undefined));
    await Promise.resolve();
    for (const delivery of kept) delivery.ack();
  }
}

await comeAndGo(RECORDS / 10);
gc();
const before = process.memoryUsage().heapUsed;
await comeAndGo(RECORDS);
gc({ type: 'minor' });
gc({ type: 'minor' });
console.log(JSON.stringify(Math.round((process.memoryUsage().heapUsed - before) / MB)));
