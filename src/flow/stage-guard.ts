import { UsageError } from '../errors.ts';
import { plainRxOperatorLosesRecords_useSluiceOperatorOrWrap as flowEnd } from './op.ts';

/** A stage as `pipe` meets it at run time. */
export type Stage = (flow: never) => unknown;

function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && flowEnd in value ? value[flowEnd] : undefined;
}

/** True for a Flow (Claim and Claims too). */
export function isFlow(value: unknown): boolean {
  return kindOf(value) === 'flow';
}

function place(stage: Stage, at: number): string {
  const name = typeof stage === 'function' && stage.name !== '' ? ` (${stage.name})` : '';
  return `pipe: stage ${at + 1}${name}`;
}

/**
 * Puts stages together, and stops what TypeScript would have refused: a plain RxJS operator on a Flow answers with a plain Observable, which
 * drops, duplicates or forgets deliveries without telling their claims.
 */
export function applyStages(first: unknown, stages: readonly Stage[]): unknown {
  let flow = first;
  for (const [at, stage] of stages.entries()) {
    if (typeof stage !== 'function') throw new UsageError(`${place(stage, at)} is not an operator`);
    if (!isFlow(flow)) throw new UsageError(`${place(stage, at)} follows settle(), which ends a flow`);
    flow = stage(flow as never);
    if (kindOf(flow) !== undefined) continue;
    throw new UsageError(
      `${place(stage, at)} did not answer with a Flow. A plain RxJS operator loses records here: use the operator of the same name from ` +
        `this library, or wrap it in dropping(...), passing(...) or perRecord(...); settle() leads out to plain RxJS`,
    );
  }
  return flow;
}
