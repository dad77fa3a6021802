// A program that runs a topology until it is signalled; says 'called' for each record under way. Arguments: broker, mode.
import { mapAsync, retry, topology, Kafka } from '../../../src/index.ts';

const [broker, mode] = process.argv.slice(2) as [string, 'done' | 'stuck' | 'waiting' | 'failing'];
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const signalled = topology('signalled', ({ fromGroup }) =>
  fromGroup({ groupId: mode, topics: ['in'] }).pipe(
    mapAsync(
      () => {
        say('called');
        if (mode === 'waiting') throw new Error('again');
        if (mode === 'stuck') return new Promise<never>(() => undefined);
        return new Promise<void>((resolve, reject) => {
          process.once('SIGTERM', () => {
            if (mode === 'failing') reject(new Error('too late'));
            else setTimeout(resolve, 100);
          });
        });
      },
      {
        concurrency: 10,
        order: 'none',
        onError:
          mode === 'waiting' ? retry({ attempts: 99, minDelayMs: 60_000, maxDelayMs: 60_000 }) : undefined,
      },
    ),
  ),
);

const kafka = new Kafka({ brokers: [broker] });
signalled
  .run(kafka, { drainTimeoutMs: mode === 'stuck' ? 60_000 : 5_000 })
  .then(
    ({ unsettled }) => say(`unsettled ${unsettled}`),
    (error: unknown) => say(`rejected ${(error as Error).name}`),
  )
  .finally(() => kafka.close());
// Only the connections keep the process alive: what a run leaves behind would show as one that does not end.
