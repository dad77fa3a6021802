// What a topology reports besides failing, gathered for the test.
import diagnosticsChannel from 'node:diagnostics_channel';
import type { LocatedProblem, StuckInStage } from '../../topology/problems.ts';
import type { TestProblem } from './types.ts';

const PROBLEMS = 'sluice:delivery-problem';
const STUCK = 'sluice:record-stuck';

/** Listens from its making to `close()`. The channels are those of the process: only what names a topic of the test counts. */
export class ProblemWatch {
  readonly problems: TestProblem[] = [];
  private readonly isOurs: (topic: string) => boolean;

  constructor(isOurs: (topic: string) => boolean) {
    this.isOurs = isOurs;
    diagnosticsChannel.subscribe(PROBLEMS, this.onProblem);
    diagnosticsChannel.subscribe(STUCK, this.onStuck);
  }

  close(): void {
    diagnosticsChannel.unsubscribe(PROBLEMS, this.onProblem);
    diagnosticsChannel.unsubscribe(STUCK, this.onStuck);
  }

  private readonly onProblem = (message: unknown): void => {
    const { kind, action, topic, partition, sequence } = message as LocatedProblem;
    // Leaks are told by the garbage collector, at any time, and maybe about a test long over; a harness finds its own.
    if (kind === 'leaked' || !this.isOurs(topic)) return;
    const where = `${topic}-${partition}, record ${sequence} of its claim`;
    this.problems.push({ kind, message: `a delivery was used after it had moved on (${action}; ${where})` });
  };

  private readonly onStuck = (message: unknown): void => {
    const { topic, partition, offset, ageMs, stage } = message as StuckInStage;
    if (!this.isOurs(topic)) return;
    const where = stage === undefined ? 'in no stage of this library' : `in stage ${stage}`;
    this.problems.push({
      kind: 'stuck',
      message: `${topic}-${partition} offset ${offset} was unsettled for ${Math.round(ageMs)} ms, ${where}`,
    });
  };
}
