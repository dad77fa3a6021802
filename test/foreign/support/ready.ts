// Gets every client ready before the tests want it: what is downloaded, compiled and built takes minutes in a fresh clone, and nothing waits then.
// A client that cannot be had is told of, and is for its own test to judge.
import { kafkaLib } from '../../helpers/kafka/jars.ts';
import { NAMES, prepare } from './clients.ts';

kafkaLib();
for (const name of NAMES) {
  const ready = prepare(name);
  const told = 'missing' in ready ? ready.missing : 'failed' in ready ? ready.failed : 'ready';
  process.stdout.write(`${name}: ${told}\n`);
}
