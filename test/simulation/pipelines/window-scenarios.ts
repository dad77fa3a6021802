// Scenarios with windows, in which everything comes to its end by itself, and the same windows come again where records do.
import type { fc } from '../../helpers/fast-check.ts';
import { scenariosOf, stageOrWindow, within, type Scenario, type Stage } from './scenario.ts';

/** Those that may let other values through when the same ones come again, by the clock or by what they remember. */
const UNREPEATABLE: readonly Stage['op'][] = [
  'audit',
  'debounce',
  'distinct',
  'exhaustByKey',
  'processingTimeWindow',
  'sample',
  'switchByKey',
  'throttle',
];

/** Records that wait there for one in a window take the credit without which its time does not go on. */
const WAITING: readonly Stage['op'][] = ['dedupe', 'switchByKey'];

const COUNT_WITHIN_MS = 3000;

/** What comes before a window. */
interface Before {
  /** The stages of the lane, where there is one and this is not it. */
  readonly lane: readonly Stage[];
  /** True where a batch is of several claims; a window would be in the one of the first value. */
  readonly mixes: boolean;
}

function has(stages: readonly Stage[], test: (stage: Stage) => boolean): boolean {
  return stages.some((stage) => test(stage) || within(stage).some((inner) => has(inner, test)));
}

const isBatch = ({ op }: Stage): boolean => op === 'batch';

function isUnrepeatable(stage: Stage): boolean {
  if (stage.op === 'dropping') return stage.retains === 1;
  // It ends elsewhere when it begins elsewhere.
  if (stage.op === 'batch') return stage.then === 'one';
  return UNREPEATABLE.includes(stage.op);
}

/** Windows that tell by offsets what is done, which for all values of a batch is that of its last. */
function goesByOffset({ op, perKey }: Stage & { readonly perKey: boolean }): boolean {
  return op === 'sessionWindow' || perKey;
}

/** Windows by the clock in the place of those by event time that would not come again as they were. */
function repeatable(stages: readonly Stage[], { lane, mixes }: Before): readonly Stage[] {
  const all: Stage[] = [];
  for (const stage of stages) {
    const before = [...lane, ...all];
    const isOther =
      'graceMs' in stage &&
      (has(before, isUnrepeatable) ||
        (mixes && has(all, isBatch)) ||
        (goesByOffset(stage) && has(before, isBatch)));
    all.push(isOther ? clocked(stage) : stage);
  }
  return all;
}

function clocked(stage: Stage): Stage {
  return 'graceMs' in stage ? { ...stage, op: 'processingTimeWindow' } : stage;
}

/** What a count window keeps comes out when its claim is over, and windows leave that to the next owner: a time bound lets it out before. */
function bounded(stage: Stage): Stage {
  if ('branches' in stage) return { ...stage, branches: stage.branches.map((branch) => branch.map(bounded)) };
  if ('stages' in stage) return { ...stage, stages: stage.stages.map(bounded) };
  if (stage.op !== 'countWindow') return stage;
  return { op: 'batch', maxRecords: stage.records, withinMs: COUNT_WITHIN_MS, then: stage.then };
}

/** The scenario with windows and count windows of which all come to an end. */
export function tamed(scenario: Scenario): Scenario {
  const waits = has([...(scenario.lane ?? []), ...scenario.stages], ({ op }) => WAITING.includes(op));
  const tame = (stages: readonly Stage[], before: Before): readonly Stage[] =>
    waits ? stages.map(bounded).map(clocked) : repeatable(stages.map(bounded), before);
  const lane = scenario.lane && tame(scenario.lane, { lane: [], mixes: false });
  return { ...scenario, lane, stages: tame(scenario.stages, { lane: lane ?? [], mixes: true }) };
}

export const windowScenarios: fc.Arbitrary<Scenario> = scenariosOf(stageOrWindow).map(tamed);
