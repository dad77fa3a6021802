import type { Clock } from '../../../core/clock.ts';
import { UsageError } from '../../../errors.ts';
import { FaultRule } from './fault-rule.ts';
import type { Fault, FaultOptions, ObservedRequest } from './fault-rule.ts';
import { targetsOf } from './request-targets.ts';
import type { RequestTargets, TargetScope } from './request-targets.ts';

/** The rules in force, in the order they were given. */
export class FaultTable {
  readonly #clock: Clock;
  readonly #apis: readonly string[];
  #rules: FaultRule[] = [];

  /** `apis` are the names that rules may use. */
  constructor(clock: Clock, apis: readonly string[]) {
    this.#clock = clock;
    this.#apis = apis;
  }

  /** Without rules requests need not be looked at. */
  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  add(options: FaultOptions): Fault {
    for (const name of apiNames(options)) {
      if (!this.#apis.includes(name)) {
        const known = this.#apis.join(', ');
        throw new UsageError(`fault: there is no API '${name}'; known are ${known}`, 'match.api');
      }
    }
    const rule = new FaultRule(options, this.#clock);
    this.#rules.push(rule);
    return rule;
  }

  clear(): void {
    for (const rule of this.#rules) rule.remove();
    this.#rules = [];
  }

  /** The first rule with an act that applies to the request; rules that only watch see it too. */
  match(request: ObservedRequest, scope: TargetScope): FaultRule | undefined {
    let targets: RequestTargets | undefined;
    let acting: FaultRule | undefined;
    for (const rule of this.#rules) {
      if (acting !== undefined && rule.action !== undefined) continue;
      if (rule.needsTargets) targets ??= targetsOf(request.body, scope);
      if (rule.hit(request, targets) && rule.action !== undefined) acting = rule;
    }
    this.#rules = this.#rules.filter((rule) => !rule.isSpent);
    return acting;
  }
}

function apiNames(options: FaultOptions): readonly string[] {
  const api = options.match?.api;
  if (api === undefined) return [];
  return typeof api === 'string' ? [api] : api;
}
