// Sends damaged requests of every API and version to a box, in memory and over TCP.
//
//   npm run fuzz:broker [-- --requests 1000000 --seed 1]
//
// Exit code 0: the box stayed well; 1: it did not, with the seed that shows it.
import { parseArgs } from 'node:util';
import { fuzzBroker } from '../test/helpers/fuzz/fuzz-broker.ts';

/** Sockets are slower than memory, and find the same. */
const TCP_SHARE = 0.1;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { requests: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
  });
  const requests = Number(values.requests);
  const seed = Number(values.seed);
  const overTcp = Math.round(requests * TCP_SHARE);
  for (const [over, count] of [
    ['memory', requests - overTcp],
    ['tcp', overTcp],
  ] as const) {
    const started = performance.now();
    const report = await fuzzBroker({ requests: count, seed, over });
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${over}: ${report.sent} requests of ${report.apis} APIs, ${report.served} taken for requests, ` +
        `${report.closedByBroker} connections closed, at most ${Math.round(report.peakBytes / 1e6)} MB held, ${seconds.toFixed(1)} s`,
    );
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
