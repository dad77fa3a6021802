// The rows are those of Kafka Streams 4.3.1, record for record.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { play, sorted, type StreamsCase } from './streams-cases.ts';

const file = path.join(__dirname, '../../golden/windows/streams.json.gz');
const cases = JSON.parse(gunzipSync(readFileSync(file)).toString()) as StreamsCase[];

describe('windows and Kafka Streams', () => {
  it('agree on what there is to agree on', () => {
    const kinds = new Set(cases.map(({ kind, emit }) => `${kind} ${emit}`));
    expect(kinds.size).toBe(9);
    expect(cases.length).toBeGreaterThanOrEqual(200);
    expect(cases.flatMap(({ output }) => output.flat()).length).toBeGreaterThan(5_000);
  });

  const kinds = ['tumbling', 'hopping', 'session'] as const;
  const emits = ['updates', 'suppress', 'close'] as const;
  for (const kind of kinds) {
    it.each(emits)(`make the same rows of ${kind} windows: %s`, (emit) => {
      for (const one of cases) {
        if (one.kind !== kind || one.emit !== emit) continue;
        const { input: _input, output, ...options } = one;
        expect({ ...options, rows: sorted(one, play(one)) }).toEqual({
          ...options,
          rows: sorted(one, output),
        });
      }
    });
  }
});
