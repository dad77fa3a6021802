import { UsageError } from '../../../errors.ts';

/** A feature of the cluster: the levels this broker can do, and the one in force when nothing else is asked for. */
interface FeatureRange {
  readonly min: number;
  readonly max: number;
  readonly level: number;
}

/** As Kafka 4.3 names them. A feature that is not in force (level 0) is not among the finalized ones. */
const FEATURES: ReadonlyMap<string, FeatureRange> = new Map([
  ['group.version', { min: 0, max: 1, level: 1 }],
  ['metadata.version', { min: 7, max: 30, level: 30 }],
  ['transaction.version', { min: 0, max: 2, level: 2 }],
]);

/** A feature with the levels that are possible. */
export interface SupportedFeature {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** The features in force in the cluster. */
export class Features {
  readonly #levels: Map<string, number>;

  /** @throws UsageError for a name or a level that Kafka does not have. */
  constructor(wanted: { readonly [name: string]: number } = {}) {
    this.#levels = new Map(Array.from(FEATURES, ([name, { level }]) => [name, level]));
    for (const [name, level] of Object.entries(wanted)) {
      const range = FEATURES.get(name);
      if (range === undefined) {
        const known = [...FEATURES.keys()].join(', ');
        throw new UsageError(`createBroker: there is no feature '${name}'; known are ${known}`, 'features');
      }
      if (!Number.isInteger(level) || level < range.min || level > range.max) {
        const possible = `${range.min} to ${range.max}`;
        throw new UsageError(
          `createBroker: level ${level} of '${name}' is not one of ${possible}`,
          'features',
        );
      }
      this.#levels.set(name, level);
    }
  }

  /** The level in force, 0 when it is not. */
  level(name: 'group.version' | 'metadata.version' | 'transaction.version'): number {
    return this.#levels.get(name)!;
  }

  /** Puts a level in force, 0 for none; one that is possible, which the caller has seen to. */
  set(name: string, level: number): void {
    this.#levels.set(name, level);
  }

  /** Every level in force, 0 left out. */
  finalized(): readonly (readonly [name: string, level: number])[] {
    return [...this.#levels].filter(([, level]) => level > 0);
  }

  supported(): readonly SupportedFeature[] {
    return Array.from(FEATURES, ([name, { min, max }]) => ({ name, minVersion: min, maxVersion: max }));
  }
}
