// How a program of a foreign client and the tests talk: a line of JSON for each step that is done, and for each act on the broker that the
// program asks for, which is answered by a line of JSON. Every language speaks this; here is TypeScript's side of the program.
import { createInterface } from 'node:readline';

/** What a program says. */
export type Said =
  | { readonly step: number; readonly ok: true; readonly absent?: string }
  | { readonly step: number; readonly ok: false; readonly error: string }
  | Act;

/** What a program asks to be done to the broker; answered with `{ done }`, false where the broker cannot be acted on. */
export type Act =
  | { readonly act: 'moveLeader'; readonly topic: string; readonly partition: number }
  /** The next answer of the API is lost with its connection; the request may or may not have been carried out. */
  | { readonly act: 'cut'; readonly api: string; readonly topic?: string; readonly applied: boolean };

export type Step = () => Promise<unknown>;

const STEP_LIMIT_MS = 180_000;

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`);

/** Asks for an act; false where the broker cannot be acted on. */
export async function act(wanted: Act): Promise<boolean> {
  say(wanted);
  const answer = await answers.next();
  return answer.done !== true && (JSON.parse(answer.value) as { done: boolean }).done;
}

/** The address of the cluster, and a prefix for all names. */
export const [bootstrap, prefix] = process.argv.slice(2) as [string, string];

/** Only these steps, where one looks into one of them by hand: `STEPS=1,2,8`. */
const chosen = process.env['STEPS']?.split(',');

/** Takes the steps by their numbers in turn, says how each went, and ends the process. */
export async function play(steps: Readonly<Record<number, Step>>, limitMs = STEP_LIMIT_MS): Promise<void> {
  for (const [step, take] of Object.entries(steps)) {
    if (chosen?.includes(step) === false) continue;
    try {
      await within(limitMs, take());
      say({ step: Number(step), ok: true });
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? String(error)) : JSON.stringify(error);
      say({ step: Number(step), ok: false, error: text.slice(0, 3_000) });
    }
  }
  process.exit();
}

async function within(limitMs: number, taken: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limitMs} ms`)), limitMs);
  });
  await Promise.race([taken, late]);
  clearTimeout(timer);
}
