// Deliveries by themselves: acknowledged, derived, forked, gathered, held, and asked for their origins.
import type { Delivery } from '../../src/flow/delivery.ts';
import { gather } from '../../src/flow/gather.ts';
import { each, observed, type Case } from './sources.ts';

const GATHERED = 2;
const LATE = 10_000;

const gathered: Delivery<number>[] = [];
const waiting: Delivery<number>[] = [];

function fork(delivery: Delivery<number>, children: number): void {
  const opened = delivery.fork();
  for (let child = 0; child < children; child++) opened.child(child).ack();
  opened.close();
}

export const deliveryCases: readonly Case[] = [
  { name: 'Delivery: root, ack', stages: 1, run: () => each((delivery) => delivery.ack()) },
  {
    name: `Delivery: root, acked after ${LATE.toLocaleString('en-US')} others`,
    stages: 1,
    run: () =>
      each((delivery) => {
        if (waiting.push(delivery) < LATE) return;
        for (const late of waiting) late.ack();
        waiting.length = 0;
      }),
  },
  {
    name: 'Delivery: root, derive, ack',
    stages: 1,
    run: () => each((delivery) => delivery.derive(1).ack()),
  },
  { name: 'Delivery: root, nack', stages: 1, run: () => each((delivery) => delivery.nack(undefined)) },
  {
    name: 'Delivery: root, hold, ack',
    stages: 1,
    run: () =>
      each((delivery) => {
        delivery.hold();
        delivery.ack();
      }),
  },
  { name: 'Delivery: fork of two', stages: 1, run: () => each((delivery) => fork(delivery, 2)) },
  { name: 'Delivery: fork of ten', stages: 1, run: () => each((delivery) => fork(delivery, 10)) },
  {
    name: 'Delivery: gather of two',
    stages: 1,
    run: () =>
      each((delivery) => {
        if (gathered.push(delivery) < GATHERED) return;
        gather(gathered, 0).ack();
        gathered.length = 0;
      }),
  },
  {
    name: 'Delivery: origins read, bytes',
    stages: 1,
    run: () =>
      each((delivery) => {
        observed.count += delivery.origins[0]!.bytes;
        delivery.ack();
      }),
  },
  {
    name: 'Delivery: origins read, both signals',
    stages: 1,
    run: () =>
      each((delivery) => {
        const { lost, revoking } = delivery.origins[0]!;
        if (!lost.aborted && !revoking.aborted) observed.count++;
        delivery.ack();
      }),
  },
];
