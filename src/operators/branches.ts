import { from, type Subscriber } from 'rxjs';
import { UsageError } from '../errors.ts';
import type { Delivery } from '../flow/delivery.ts';
import { createFlow, type Flow } from '../flow/flow.ts';
import { mergeInner } from '../flow/merge-inner.ts';
import type { Op } from '../flow/op.ts';
import { isFlow } from '../flow/stage-guard.ts';

/** The ends of each branch, where what is sent down it goes in: one, none if it never subscribes its flow, several if it does so several times. */
export type BranchInputs<A> = readonly (readonly Subscriber<Delivery<A>>[])[];

/** The branches of one stage, put together where the pipe is; `inputs` is where a subscription collects their ends. */
export class Branches<A> {
  private readonly operator: string;
  private readonly outputs: readonly Flow<unknown>[];
  private inputs: Subscriber<Delivery<A>>[][] | undefined;

  constructor(operator: string, branches: readonly Op<A, unknown>[]) {
    this.operator = operator;
    this.outputs = branches.map((branch, at) => {
      const output: unknown = branch(createFlow<A>((input) => this.attach(at, input)));
      if (!isFlow(output)) throw new UsageError(`${operator}: branch ${at + 1} did not answer with a Flow`);
      return output as Flow<unknown>;
    });
  }

  /** Subscribes the branches into `out`, and answers with their inputs. */
  subscribe(out: Subscriber<Delivery<unknown>>): BranchInputs<A> {
    const inputs = this.outputs.map((): Subscriber<Delivery<A>>[] => []);
    this.inputs = inputs;
    mergeInner<Flow<unknown>, unknown>(from(this.outputs), (flow) => flow, out);
    this.inputs = undefined;
    return inputs;
  }

  private attach(at: number, input: Subscriber<Delivery<A>>): void {
    if (this.inputs === undefined) {
      throw new UsageError(
        `${this.operator}: a branch subscribes its flow when the ${this.operator} is subscribed, not later and not elsewhere`,
      );
    }
    this.inputs[at]!.push(input);
  }
}
