// The files that take longest begin first, so that none of them is left over at the end with the other workers idle. A fresh clone has no
// times of an earlier run to go by. Seconds on a quiet machine; what is not named here comes after them, in Jest's own order.
const path = require('node:path');
const Sequencer = require('@jest/test-sequencer').default;

const SECONDS = {
  'integration/verifiable-tools': 68,
  'rows/g-14-consumer-protocol': 47,
  'integration/programs': 44,
  'simulation/random-runs': 40,
  'rows/p-25-codecs': 31,
  'testing/broker/java-tools': 28,
  'testing/broker/groups/java': 27,
  'integration/interop-java': 26,
  'cli/commands': 26,
  'integration/group': 25,
  'simulation/planted/planted': 25,
  'integration/consumer': 23,
  'rows/o-04-coordinator-moves': 23,
  'rows/k-05-tls-and-sasl': 23,
  'integration/interop-kcat': 22,
  'simulation/same-seed': 22,
  'rows/k-07-admin': 21,
  'rows/g-14-java-members': 20,

  'foreign/tools': 94,
  'foreign/java': 43,
  'foreign/kcat': 32,
  'foreign/rdkafka': 30,

  'faults/group-fuzz': 52,
  'faults/etl-chain': 36,
  'faults/group-static': 34,
  'faults/kills': 34,
  'faults/group-mixed': 33,
  'faults/group-cooperative': 28,
  'faults/exactly-once': 27,
  'faults/producing-cluster': 26,
  'faults/membership': 25,
  'faults/stall': 25,
  'faults/at-most-once': 21,
};

const root = path.resolve(__dirname, '..');
const secondsOf = ({ path: file }) => SECONDS[path.relative(root, file).replace(/\.test\.ts$/, '')] ?? 0;

class LongestFirst extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => secondsOf(b) - secondsOf(a));
  }
}

module.exports = LongestFirst;
