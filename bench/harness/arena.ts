// Runs the workloads: in every round each client once, in turn.
import type { Client } from './client.ts';
import type { Outcome } from '../clients/task.ts';
import { Fixture } from './fixture.ts';
import type { Programs } from './programs.ts';
import { Topics } from './topics.ts';
import type { Workload } from './workloads.ts';

/** A just-in-time compiler is done with a client, and with the broker's answers to it, after some seconds only. */
const WARM_UP_MS = 4_000;

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
  private readonly warmUpMs: number;

  constructor(brokers: readonly string[], programs: Programs, warmUpMs = WARM_UP_MS) {
    this.brokers = brokers;
    this.programs = programs;
    this.warmUpMs = warmUpMs;
    this.topics = new Topics(brokers);
  }

  /** A client that fails is left out of the rounds that follow. */
  async measure(
    workload: Workload,
    clients: readonly Client[],
    rounds: number,
    records: number,
  ): Promise<void> {
    const { brokers, programs, topics, warmUpMs } = this;
    const count = Math.max(1, Math.round(records * workload.share));
    const fixture = new Fixture({ workload, records: count, brokers, programs, topics, warmUpMs });
    await fixture.fill();
    const failed = new Set<Client>();
    for (let round = 1; round <= rounds; round++) {
      // Who goes first changes, so that nobody always meets a busy broker.
      const order = round % 2 === 1 ? clients : [...clients].reverse();
      for (const client of order) {
        if (failed.has(client)) continue;
        try {
          const outcome = await fixture.run(client);
          this.took({ ...outcome, workload: workload.name, client: client.name, round });
        } catch (cause) {
          failed.add(client);
          const failure = { workload: workload.name, client: client.name, reason: (cause as Error).message };
          this.failures.push(failure);
          console.log(`${prefix(failure, round)} ${failure.reason}`);
        }
      }
    }
    await fixture.remove();
  }

  close(): Promise<void> {
    return this.topics.close();
  }

  private took(sample: Sample): void {
    this.samples.push(sample);
    const perSecond = Math.round(sample.records / sample.seconds).toLocaleString('en-US');
    const { latencyMs } = sample;
    const latency =
      latencyMs === undefined
        ? ''
        : `  p50 ${latencyMs.p50.toFixed(2)}  p99 ${latencyMs.p99.toFixed(2)}  p99.9 ${latencyMs.p999.toFixed(2)} ms`;
    console.log(`${prefix(sample, sample.round)} ${perSecond.padStart(10)} records/s${latency}`);
  }
}

function prefix({ workload, client }: { workload: string; client: string }, round: number): string {
  return `round ${round}  ${workload.padEnd(13)} ${client.padEnd(19)}`;
}
