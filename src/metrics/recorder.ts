// Where measured values go.

import type { About } from './metric.ts';
import type { Quantity } from './quantities.ts';

/** Takes values of quantities: a naming of the collector, or instruments of a library. */
export interface Recorder {
  /** Of a count the amount that is added, of a distribution a value. */
  record(quantity: Quantity, value: number, about: About): void;
}
