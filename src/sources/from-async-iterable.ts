import type { Flow } from '../flow/flow.ts';
import { pullSource, type Chunks } from './pull-source.ts';

const VALUE_BYTES = 64;

function oneByOne<T>(source: AsyncIterable<T>): Chunks<T> {
  const iterator = source[Symbol.asyncIterator]();
  return {
    async next() {
      const result = await iterator.next();
      return result.done === true ? { done: true, value: undefined } : { done: false, value: [result.value] };
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}

/**
 * A flow of an async iterable's values. The next one is asked for only while fewer than 40,000 are unsettled; the iterable is closed
 * (`return()`) when the flow ends early. What it throws fails the topology, or is the flow's error in a script.
 */
export function fromAsyncIterable<T>(source: AsyncIterable<T>): Flow<T> {
  return pullSource({ name: 'async iterable', open: () => oneByOne(source), sizeOf: () => VALUE_BYTES });
}
