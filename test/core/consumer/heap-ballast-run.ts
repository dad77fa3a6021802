// Prints how much larger the heap of this process is, in MiB, while ballast is held and after it was let go of.
import { getHeapStatistics } from 'node:v8';
import { HeapBallast } from '../../../src/core/consumer/heap-ballast.ts';

const MIB = 1024 * 1024;
const collect = (globalThis as { gc?: () => void }).gc!;

/** References that were read are kept until the present run of code ends. */
async function grownMiB(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return Math.round((getHeapStatistics().used_heap_size - before) / MIB);
}

collect();
const before = getHeapStatistics().used_heap_size;
const [one, other] = [new HeapBallast(), new HeapBallast()];
const grown: number[] = [];
one.count(63 * MIB);
grown.push(await grownMiB());
one.count(MIB);
grown.push(await grownMiB());
other.count(1_000 * MIB);
grown.push(await grownMiB());
one.release();
grown.push(await grownMiB());
other.release();
other.release();
grown.push(await grownMiB());
console.log(JSON.stringify(grown));
