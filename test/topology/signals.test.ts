// SIGTERM and SIGINT, and what the process tells its parent.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { Kafka } from '../../src/index.ts';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';

const RECORDS = 3;

let box: BrokerBox;

beforeAll(async () => {
  box = await createBroker({ topics: { in: 1 } });
  const kafka = new Kafka({ brokers: box.bootstrap });
  const producer = kafka.producer();
  for (let at = 0; at < RECORDS; at++) await producer.sendAsync('in', { value: String(at) });
  await producer.close();
  await kafka.close();
});

afterAll(() => box.close());

/** Starts the program, signals it once all records are under way, and answers with its last words and its exit code. */
function run(mode: string, ...signals: NodeJS.Signals[]): Promise<{ said: string[]; code: number | null }> {
  const program = path.join(__dirname, 'programs/signalled.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, box.bootstrap[0]!, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  let called = 0;
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    if (line !== 'called') said.push(line);
    else if (++called === RECORDS) for (const signal of signals) child.kill(signal);
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ said, code }));
  });
}

const committed = (groupId: string): number => box.committed(groupId, 'in', 0)?.offset ?? 0;

describe('a signal', () => {
  it('drains: exit code 0 when everything is settled and committed', async () => {
    expect(await run('done', 'SIGTERM')).toEqual({ said: ['unsettled 0'], code: 0 });
    expect(committed('done')).toBe(RECORDS);
    expect(box.group('done')).toMatchObject({ members: [] });
  });

  it('ends with exit code 1 when something is given up that was to be tried again', async () => {
    expect(await run('waiting', 'SIGINT')).toEqual({ said: ['unsettled 3'], code: 1 });
    expect(committed('waiting')).toBe(0);
  });

  it('ends with exit code 1 when the drain meets a failure', async () => {
    expect(await run('failing', 'SIGTERM')).toEqual({ said: ['rejected StageError'], code: 1 });
    expect(committed('failing')).toBe(0);
  });

  it('that comes a second time aborts, with exit code 1', async () => {
    expect(await run('stuck', 'SIGTERM', 'SIGINT')).toEqual({ said: ['unsettled 3'], code: 1 });
    expect(committed('stuck')).toBe(0);
  });
});
