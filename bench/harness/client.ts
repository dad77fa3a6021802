// A client under measurement: the program, what it can do, and how it is told to.
import type { Work } from '../clients/task.ts';

export interface Client {
  readonly name: string;
  /** What the task calls it, where the program holds several; the name else. */
  readonly program: Program;
  readonly as?: string;
  readonly works: readonly Work[];
  readonly lingerMs?: number;
  /** Its settings, for the page. */
  readonly note: string;
}

/** What has to be there for a client to run. */
export type Program = 'node' | 'node24' | 'platformatic' | 'rdkafka' | 'go' | 'java' | 'against';

/** How a program is started; the task comes as the last argument. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}
