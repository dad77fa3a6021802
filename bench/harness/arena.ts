// Runs the workloads: in every round each client once, in turn.
import type { Job, Outcome, Task, Work } from '../clients/task.ts';
import { expectedSum, values } from '../clients/values.ts';
import type { Client } from './client.ts';
import type { Programs } from './programs.ts';
import { startClient } from './start.ts';
import { Topics } from './topics.ts';
import type { Workload } from './workloads.ts';

const WARM_UP_SHARE = 0.25;

/** What one client did in one round. */
export interface Sample extends Outcome {
  readonly workload: string;
  readonly client: string;
  readonly round: number;
}

/** A client that could not run, or whose output was not right. */
export interface Failure {
  readonly workload: string;
  readonly client: string;
  readonly reason: string;
}

export class Arena {
  readonly samples: Sample[] = [];
  readonly failures: Failure[] = [];
  private readonly brokers: readonly string[];
  private readonly programs: Programs;
  private readonly topics: Topics;

  constructor(brokers: readonly string[], programs: Programs) {
    this.brokers = brokers;
    this.programs = programs;
    this.topics = new Topics(brokers);
  }

  async measure(
    workload: Workload,
    clients: readonly Client[],
    rounds: number,
    records: number,
  ): Promise<void> {
    const measured = Math.max(1, Math.round(records * workload.share));
    const source = await this.source(workload, measured);
    const failed = new Set<Client>();
    for (let round = 1; round <= rounds; round++) {
      // Who goes first changes, so that nobody always meets a busy broker.
      const order = round % 2 === 1 ? clients : [...clients].reverse();
      for (const client of order) {
        if (failed.has(client)) continue;
        try {
          const outcome = await this.once(workload, client, source, measured);
          this.took({ ...outcome, workload: workload.name, client: client.name, round });
        } catch (cause) {
          failed.add(client);
          const reason = (cause as Error).message;
          this.failures.push({ workload: workload.name, client: client.name, reason });
          console.log(`round ${round}  ${workload.name.padEnd(14)} ${client.name.padEnd(20)} ${reason}`);
        }
      }
    }
    if (source !== undefined) await this.topics.delete(source.warmUp, source.measured);
  }

  close(): Promise<void> {
    return this.topics.close();
  }

  private took(sample: Sample): void {
    this.samples.push(sample);
    const rate = Math.round(sample.records / sample.seconds / 1_000).toLocaleString('en-US');
    const { round, workload, client } = sample;
    console.log(
      `round ${round}  ${workload.padEnd(14)} ${client.padEnd(20)} ${rate.padStart(6)} k records/s`,
    );
  }

  /** What is read, written once. */
  private async source(workload: Workload, records: number): Promise<Source | undefined> {
    if (!workload.works.includes('read')) return undefined;
    const warmUp = await this.topics.create(workload.partitions, records * WARM_UP_SHARE);
    const measured = await this.topics.create(workload.partitions, records);
    const filler = { name: 'sluice', program: 'node', works: ['produce'], note: '' } as const;
    await this.start(workload, filler, 'produce', warmUp, measured);
    await this.topics.checkWritten(measured.topic, measured.records);
    return { warmUp, measured };
  }

  private async once(
    workload: Workload,
    client: Client,
    source: Source | undefined,
    records: number,
  ): Promise<Outcome> {
    const work = workload.works.find((one) => client.works.includes(one))!;
    if (source === undefined) return this.produce(workload, client, work, records);
    const inGroup = work !== 'read';
    const warmUp = inGroup ? this.topics.inNewGroup(source.warmUp) : source.warmUp;
    const measured = inGroup ? this.topics.inNewGroup(source.measured) : source.measured;
    const outcome = await this.start(workload, client, work, warmUp, measured);
    if (inGroup) await this.topics.checkCommitted(measured);
    return outcome;
  }

  private async produce(workload: Workload, client: Client, work: Work, records: number): Promise<Outcome> {
    const warmUp = await this.topics.create(workload.partitions, records * WARM_UP_SHARE);
    const measured = await this.topics.create(workload.partitions, records);
    const outcome = await this.start(workload, client, work, warmUp, measured);
    await this.topics.checkWritten(measured.topic, records);
    await this.topics.delete(warmUp, measured);
    return outcome;
  }

  private start(
    { valueBytes, valueKind }: Workload,
    client: Client,
    work: Work,
    warmUp: Job,
    measured: Job,
  ): Promise<Outcome> {
    const task: Task = {
      client: client.as ?? client.name,
      brokers: this.brokers,
      work,
      ...(client.lingerMs === undefined ? {} : { lingerMs: client.lingerMs }),
      valueKind,
      valueBytes,
      recordsPerSecond: 0,
      warmUp,
      measured,
    };
    const sum = expectedSum(values(valueBytes, valueKind), measured.records);
    return startClient(this.programs.commandOf(client), task, sum);
  }
}

interface Source {
  readonly warmUp: Job;
  readonly measured: Job;
}
