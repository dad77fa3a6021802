// A client's program, taken through its steps by a broker: one test for each step.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBroker, fault, type BrokerBox } from '../../../src/testing/index.ts';
import { brokers } from '../../helpers/brokers.ts';
import { prepare, type Command, type Name } from './clients.ts';
import type { Act, Said } from './dialogue.ts';
import { STEPS } from './steps.ts';

const PREPARE_LIMIT_MS = 900_000;
/** Above the limits that the programs set themselves. */
const STEP_LIMIT_MS = 240_000;
/** Of an answer that is cut short: a part of its length. */
const CUT_BYTES = 2;
const SHOWN_OUTPUT = 3_000;

export interface Foreign {
  readonly client: Name;
  readonly name: string;
  /** Steps that the client has nothing for, with the reason. */
  readonly absent?: Readonly<Record<number, string>>;
}

/** A broker to try clients on, and what may be done to it. */
class Target {
  readonly bootstrap: readonly string[];
  readonly box: BrokerBox | undefined;

  private constructor(bootstrap: readonly string[], box: BrokerBox | undefined) {
    this.bootstrap = bootstrap;
    this.box = box;
  }

  static async open(): Promise<Target> {
    if (brokers !== undefined) return new Target(brokers, undefined);
    const box = await createBroker({ brokers: 3, autoCreateTopics: false });
    return new Target(box.bootstrap, box);
  }

  /** False where it is not ours to act on. */
  do(wanted: Act): boolean {
    if (this.box === undefined) return false;
    if (wanted.act === 'moveLeader') this.box.moveLeader(wanted.topic, wanted.partition);
    else
      this.box.fault({
        match: { api: wanted.api, ...(wanted.topic !== undefined && { topic: wanted.topic }) },
        do: wanted.applied ? fault.answerOnly(CUT_BYTES) : fault.close,
        count: 1,
      });
    return true;
  }
}

/** The running program. */
class Run {
  private readonly results = new Map<number, Said & { step: number }>();
  private readonly waiting = new Map<number, () => void>();
  private ended: string | undefined;
  private output = '';
  private readonly child;
  readonly gone: Promise<void>;

  constructor({ file, args, env }: Command, target: Target, prefix: string) {
    const child = spawn(file, [...args, target.bootstrap.join(','), prefix], {
      env: { ...process.env, ...env },
    });
    this.child = child;
    child.stderr.on('data', (chunk: Buffer) => this.keep(chunk.toString()));
    const stdout = createInterface({ input: child.stdout });
    stdout.on('line', (text) => {
      if (!text.startsWith('{"step"') && !text.startsWith('{"act"')) {
        this.keep(`${text}\n`);
        return;
      }
      const said = JSON.parse(text) as Said;
      if ('act' in said) child.stdin.write(`${JSON.stringify({ done: target.do(said) })}\n`);
      else {
        this.results.set(said.step, said);
        this.waiting.get(said.step)?.();
      }
    });
    this.gone = new Promise((resolve) => {
      child.once('error', (error) => {
        this.ended = error.message;
        resolve();
      });
      child.once('close', (code, signal) => {
        this.ended ??= `it ended with ${signal ?? code}`;
        resolve();
      });
    });
    void this.gone.then(() => this.waiting.forEach((resume) => resume()));
  }

  /** Resolves when the step went well. */
  async step(number: number): Promise<void> {
    if (!this.results.has(number) && this.ended === undefined)
      await new Promise<void>((resolve) => this.waiting.set(number, resolve));
    const result = this.results.get(number);
    if (result === undefined) throw new Error(`step ${number} was not taken: ${this.ended}\n${this.output}`);
    if ('error' in result) throw new Error(`${result.error}\n${this.output}`);
  }

  /** Waits for its own end, which must come without a signal or a code. */
  async end(): Promise<string> {
    await this.gone;
    return this.ended!;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  private keep(text: string): void {
    this.output = (this.output + text).slice(-SHOWN_OUTPUT);
  }
}

/** Declares the tests of a client. */
export function foreign({ client, name, absent = {} }: Foreign): void {
  const ready = prepare(client);
  const on = brokers === undefined ? 'the box' : `Kafka at ${brokers.join(',')}`;
  if ('missing' in ready) {
    describe.skip(`${name}: ${ready.missing}`, () => {
      for (const title of STEPS) it(title, () => undefined);
    });
    return;
  }
  describe(`${name} on ${on}`, () => {
    let target: Target;
    let run: Run;

    beforeAll(async () => {
      if ('failed' in ready) throw new Error(ready.failed);
      target = await Target.open();
      run = new Run(ready, target, `${client}-${process.pid}-${Date.now().toString(36)}`);
    }, PREPARE_LIMIT_MS);

    afterAll(async () => {
      await run?.kill();
      await target?.box?.close();
    });

    for (const [at, title] of STEPS.entries()) {
      const why = absent[at + 1];
      if (why === undefined) it(`${at + 1}. ${title}`, () => run.step(at + 1), STEP_LIMIT_MS);
      else it.skip(`${at + 1}. ${title}: ${why}`, () => undefined);
    }

    it('ends by itself, and the broker threw nothing', async () => {
      expect(await run.end()).toBe('it ended with 0');
      expect(target.box?.internalErrors ?? []).toEqual([]);
    });
  });
}
