// What one workload needs - topics, files, groups - and one client's turn at it, with everything checked that can be checked from outside.
import type { Job, Outcome, Task, Work } from '../clients/task.ts';
import { values } from '../clients/values.ts';
import type { Client } from './client.ts';
import { removeFiles, writeFiles } from './files.ts';
import type { Programs } from './programs.ts';
import { startClient } from './start.ts';
import { sumOf } from './sums.ts';
import type { Topics } from './topics.ts';
import type { Workload } from './workloads.ts';

/** Of the records, in each turn of the warm-up. */
const WARM_UP_SHARE = 0.5;
const MOST_WARM_UPS = 12;

const READING: readonly Work[] = ['read', 'consume', 'consume-text', 'consume-json', 'keyed', 'pipe'];
const IN_GROUP: readonly Work[] = ['consume', 'consume-text', 'consume-json', 'keyed', 'pipe', 'steady'];

interface Jobs {
  readonly warmUp: Job;
  readonly measured: Job;
}

export interface FixtureOptions {
  readonly workload: Workload;
  readonly records: number;
  readonly brokers: readonly string[];
  readonly programs: Programs;
  readonly topics: Topics;
  /** For how long each client warms up at least, in whole turns. */
  readonly warmUpMs: number;
}

export class Fixture {
  private readonly options: FixtureOptions;
  private source: Jobs | undefined;
  private files: { readonly warmUp: string[]; readonly measured: string[] } | undefined;

  constructor(options: FixtureOptions) {
    this.options = options;
  }

  /** Writes, once, what all clients read. */
  async fill(): Promise<void> {
    const { workload, records, topics } = this.options;
    if (workload.works.includes('files')) {
      const pool = values(workload.valueBytes, workload.valueKind);
      this.files = {
        warmUp: writeFiles(pool, records * WARM_UP_SHARE),
        measured: writeFiles(pool, records),
      };
    }
    if (!workload.works.some((work) => READING.includes(work))) return;
    this.source = await this.freshTopics();
    const filler = { name: 'sluice', program: 'node', works: ['produce'], note: '' } as const;
    const { warmUp, measured } = this.source;
    await this.start(filler, 'produce', { warmUps: [warmUp], measured }, 0);
    await topics.checkWritten(this.source.measured.topic, records);
  }

  async run(client: Client): Promise<Outcome> {
    const { workload, topics } = this.options;
    const work = workload.works.find((one) => client.works.includes(one));
    if (work === undefined) throw new Error(`${client.name} cannot do this`);
    const fresh = this.source === undefined ? await this.freshTopics() : undefined;
    const to = work === 'pipe' ? await this.freshTopics() : undefined;
    const jobs = this.jobsOf(work, fresh ?? this.source!, to);
    const outcome = await this.start(client, work, jobs);
    const written = (fresh ?? to)?.measured;
    if (written !== undefined) await topics.checkWritten(written.topic, written.records);
    if (IN_GROUP.includes(work)) await topics.checkCommitted(jobs.measured);
    for (const made of [fresh, to]) if (made !== undefined) await topics.delete(made.warmUp, made.measured);
    return outcome;
  }

  async remove(): Promise<void> {
    if (this.source !== undefined) await this.options.topics.delete(this.source.warmUp, this.source.measured);
    if (this.files !== undefined) removeFiles([...this.files.warmUp, ...this.files.measured]);
  }

  private async freshTopics(): Promise<Jobs> {
    const { workload, records, topics } = this.options;
    return {
      warmUp: await topics.create(workload.partitions, records * WARM_UP_SHARE),
      measured: await topics.create(workload.partitions, records),
    };
  }

  private jobsOf(work: Work, jobs: Jobs, to: Jobs | undefined): Pick<Task, 'warmUps' | 'measured'> {
    const { topics } = this.options;
    const complete = (which: 'warmUp' | 'measured'): Job => ({
      ...jobs[which],
      groupId: IN_GROUP.includes(work) ? topics.newGroup() : '',
      to: to?.[which].topic ?? '',
      files: this.files?.[which] ?? [],
    });
    return {
      // What is steady reads all that its topic has.
      warmUps: Array.from({ length: work === 'steady' ? 1 : MOST_WARM_UPS }, () => complete('warmUp')),
      measured: complete('measured'),
    };
  }

  private start(
    client: Client,
    work: Work,
    jobs: Pick<Task, 'warmUps' | 'measured'>,
    warmUpMs = this.options.warmUpMs,
  ): Promise<Outcome> {
    const { workload, brokers, programs } = this.options;
    const task: Task = {
      client: client.as ?? client.name,
      brokers,
      work,
      ...(client.lingerMs === undefined ? {} : { lingerMs: client.lingerMs }),
      valueKind: workload.valueKind,
      valueBytes: workload.valueBytes,
      ...(workload.compression === undefined ? {} : { compression: workload.compression }),
      recordsPerSecond: workload.recordsPerSecond,
      warmUpMs,
      ...jobs,
    };
    return startClient(programs.commandOf(client), task, sumOf(task));
  }
}
