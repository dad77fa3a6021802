// The kinds of scenario, seen alike: drawn from a seed, played, checked, made smaller.
import { fc } from '../helpers/fast-check.ts';
import type { VirtualClockOptions } from '../../src/testing/simulation/virtual-clock.ts';
import { checkEvents } from './checks/all-checks.ts';
import { playClients } from './clients/play.ts';
import { drawScenario } from './clients/scenario.ts';
import { smallerClients } from './clients/smaller.ts';
import type { Violation } from './history/violation.ts';
import { checkHistory } from './pipelines/check-history.ts';
import { play } from './pipelines/play.ts';
import { scenarios } from './pipelines/scenario.ts';
import { smallerPipelines } from './pipelines/smaller.ts';
import { windowScenarios } from './pipelines/window-scenarios.ts';
import type { Smaller } from './shrink.ts';

/** What came of one run. */
export interface Played {
  /** Plain data, one object a line. */
  readonly history: readonly object[];
  readonly violations: readonly Violation[];
}

/** A scenario that can be played, whatever its kind. */
export interface Runnable {
  readonly scenario: object;
  run(options?: VirtualClockOptions): Promise<Played>;
  smaller(): Iterable<Runnable>;
}

interface Kind<S extends object> {
  draw(seed: number): S;
  play(scenario: S, seed: number, options: VirtualClockOptions): Promise<Played>;
  readonly smaller: Smaller<S>;
}

const clients: Kind<ReturnType<typeof drawScenario>> = {
  draw: drawScenario,
  async play(scenario, seed, options) {
    const history = await playClients(scenario, seed, options);
    return { history, violations: checkEvents(history) };
  },
  smaller: smallerClients,
};

type PipelineScenario = Parameters<typeof play>[0];

const pipelines: Kind<PipelineScenario> = {
  draw: (seed) => fc.sample(fc.noBias(scenarios), { seed, numRuns: 1 })[0]!,
  async play(scenario, seed, options) {
    const { events, writes, ...of } = await play(scenario, seed, options);
    const contract = checkHistory({ events, writes, ...of }).map((what) => ({
      check: 'delivery-contract',
      what,
      at: [],
    }));
    // The writes come first, so that what is found in them has their indices.
    return { history: [...writes, of, ...events], violations: [...checkEvents(writes), ...contract] };
  },
  smaller: smallerPipelines,
};

const windows: Kind<PipelineScenario> = {
  ...pipelines,
  draw: (seed) => fc.sample(fc.noBias(windowScenarios), { seed, numRuns: 1 })[0]!,
};

/** Those that are played where none is named. */
export const KINDS = ['clients', 'pipelines'] as const;
export const ALL_KINDS = [...KINDS, 'windows'] as const;
export type KindName = (typeof ALL_KINDS)[number];

function runnable<S extends object>(kind: Kind<S>, scenario: S, seed: number): Runnable {
  return {
    scenario,
    run: (options = {}) => kind.play(scenario, seed, options),
    *smaller() {
      for (const one of kind.smaller(scenario)) yield runnable(kind, one, seed);
    },
  };
}

/** What a seed says to play. */
export function drawn(kind: KindName, seed: number): Runnable {
  if (kind === 'clients') return runnable(clients, clients.draw(seed), seed);
  const some = kind === 'windows' ? windows : pipelines;
  return runnable(some, some.draw(seed), seed);
}
