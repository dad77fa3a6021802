// A cluster in simulated time with a stage on it: the calls of the comparisons, without a real broker beside it.
import type { BrokerOptions } from '../../../src/testing/broker/options.ts';
import { Stage } from './parity/stage.ts';
import { simulated } from './simulated.ts';
import type { Simulated } from './simulated.ts';

export interface Staged extends Simulated {
  readonly stage: Stage;
  /** Does something on the stage and gives what was written down of it. */
  noted(act: (stage: Stage) => Promise<unknown>): Promise<unknown[]>;
  /** Another stage, on a connection of its own. */
  other(node?: number): Stage;
}

export async function staged(options: BrokerOptions = {}): Promise<Staged> {
  const sim = await simulated(options);
  const other = (node = 0): Stage =>
    new Stage(sim.connect(node), 'run', sim.clock.wallNow(), () => Promise.resolve());
  const stage = other();
  return {
    ...sim,
    stage,
    other,
    async noted(act) {
      const before = stage.notes.length;
      await sim.run(act(stage));
      return stage.notes.slice(before).map((note) => (note as [string, unknown])[1]);
    },
  };
}
