// Starts a client's process for one task and checks what it answers.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Outcome, Task } from '../clients/task.ts';
import type { Command } from './client.ts';

const CLIENT_TIMEOUT_MS = 120_000;
const MAX_REASON_CHARACTERS = 400;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

const execute = promisify(execFile);

/** Answers with the outcome; rejects, naming the client, when it fails, takes too long, or its values do not add up to `sum`. */
export async function startClient(command: Command, task: Task, sum: number): Promise<Outcome> {
  const { file, args } = command;
  let output: string;
  try {
    ({ stdout: output } = await execute(file, [...args, JSON.stringify(task)], {
      timeout: CLIENT_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
    }));
  } catch (cause) {
    throw new Error(`${task.client}, ${task.work}: ${reasonOf(cause)}`, { cause });
  }
  const outcome = JSON.parse(output.trim().split('\n').at(-1)!) as Outcome;
  if (outcome.sum !== null && outcome.sum !== sum)
    throw new Error(
      `${task.client}: the values of ${task.work} add up to ${outcome.sum}, not ${sum}, on ${task.measured.topic}`,
    );
  return outcome;
}

function reasonOf(cause: unknown): string {
  const { killed, stderr, message } = cause as { killed?: boolean; stderr?: string; message: string };
  if (killed === true) return `not done within ${CLIENT_TIMEOUT_MS / 1_000} s`;
  const lines = (stderr ?? '').split('\n');
  const telling = lines.find((line) => /^\s*(\w*Error\b|.*Exception\b|panic)/.test(line)) ?? lines[0]!;
  return (telling === '' ? message : telling)
    .trim()
    .replaceAll(process.cwd(), '.')
    .slice(0, MAX_REASON_CHARACTERS);
}
