import { describe, expect, it } from '@jest/globals';
import { EMPTY, map as rxMap, of, throwError, timer, type Observable } from 'rxjs';
import { eachClaim, enrich, retry, skip, type EnrichOptions, type Key } from '../../src/operators/index.ts';
import { testFlow } from '../../src/testing/marbles.ts';
import { collect, ManualSource } from '../flow/manual-source.ts';

const boom = new Error('boom');
type Options = EnrichOptions<string, string, string | null, string>;

const basis = {
  key: (x) => x,
  lookup: (key) => timer(3).pipe(rxMap(() => key.toUpperCase())),
  combine: (_, found) => found ?? 'none',
  concurrency: 9,
  order: 'input',
  ttlMs: 1_000,
} satisfies Options;

/** Lookups that answer when they are told to. */
class Service {
  readonly asked: string[] = [];
  readonly signals: AbortSignal[] = [];
  private answers: { resolve: (x: string | null) => void; reject: (cause: unknown) => void }[] = [];

  readonly lookup: Options['lookup'] = (key, { signal }) => {
    this.asked.push(key);
    this.signals.push(signal);
    return new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
  };

  answer(at: number, found: string | null): void {
    this.answers[at]!.resolve(found);
  }

  fail(at: number): void {
    this.answers[at]!.reject(boom);
  }
}

function rig(more: Partial<Options> = {}, credit?: number) {
  const source = new ManualSource<string>(credit);
  const service = new Service();
  const out = collect(source.flow.pipe(enrich({ ...basis, lookup: service.lookup, ...more })));
  return { source, service, out };
}

describe('enrich', () => {
  it('looks each key up once while it is under way, and remembers the answer', () => {
    testFlow(({ flow, expectFlow, expectAcks }) => {
      const source = flow('a-b-a----a-|');
      const asked: string[] = [];
      const lookup = (key: string): Observable<string> => (
        asked.push(key),
        timer(3).pipe(rxMap(() => key.toUpperCase()))
      );
      expectFlow(source.pipe(enrich({ ...basis, lookup }))).toBe('---A-(BA)A-|');
      expectAcks(source).toBe('---a-(ba)a');
    });
  });

  it('looks up again when its time is over, and not before', async () => {
    const { source, service, out } = rig({ ttlMs: 10 });
    source.emit('a');
    service.answer(0, 'A');
    await source.time.advance(10);
    source.emit('a');
    expect(service.asked).toEqual(['a']);
    await source.time.advance(1);
    source.emit('a');
    expect(service.asked).toEqual(['a', 'a']);
    service.answer(1, 'B');
    await source.time.settle();
    expect(out.values).toEqual(['A', 'A', 'B']);
    expect(source.marked('ack')).toBe('a a a');
  });

  it('keeps what is used, and forgets what was used least recently', async () => {
    const { source, service } = rig({ maxEntries: 2, ttlMs: Infinity });
    const ask = async (key: string): Promise<void> => {
      const { length } = service.asked;
      source.emit(key);
      if (service.asked.length > length) service.answer(length, key);
      await source.time.settle();
    };
    for (const key of 'abacab') await ask(key);
    expect(service.asked.join('')).toBe('abcb');
  });

  it('does not remember that there is none, or for as long as it is told to', async () => {
    const forgetful = rig();
    forgetful.source.emit('a');
    forgetful.service.answer(0, null);
    await forgetful.source.time.settle();
    forgetful.source.emit('a');
    expect(forgetful.service.asked).toEqual(['a', 'a']);
    expect(forgetful.out.values).toEqual(['none']);
    const { source, service, out } = rig({ missingTtlMs: 5 });
    source.emit('a');
    service.answer(0, null);
    await source.time.advance(5);
    source.emit('a');
    await source.time.advance(1);
    source.emit('a');
    expect(service.asked).toEqual(['a', 'a']);
    expect(out.values).toEqual(['none', 'none']);
  });

  it('fails every value that waited, remembers no failure, and shares the next try', async () => {
    const { source, service, out } = rig({ onError: retry({ attempts: 2, minDelayMs: 5 }) });
    source.emitAll('aab');
    expect(service.asked).toEqual(['a', 'b']);
    service.fail(0);
    service.answer(1, 'B');
    await source.time.advance(5);
    expect(service.asked).toEqual(['a', 'b', 'a']);
    service.answer(2, 'A');
    await source.time.settle();
    expect(out.values).toEqual(['A', 'A', 'B']);
    expect(out.ended).toEqual(['complete']);
  });

  it('decides by its policy about throws, non-answers, empty Observables and what combine throws', () => {
    const source = new ManualSource<string>();
    const causes: unknown[] = [];
    const stage = enrich<string, string, string, string>({
      ...basis,
      key: (x) => {
        if (x === 'k') throw boom;
        return x;
      },
      lookup: (key) => {
        if (key === 't') throw boom;
        if (key === 'e') return EMPTY;
        if (key === 'f') return throwError(() => boom);
        return key === 'n' ? (1 as never) : of(key);
      },
      combine: (_, found) => {
        if (found === 'c') throw boom;
        return found;
      },
      onError: (error) => (causes.push(error.cause), skip),
    });
    const out = collect(source.flow.pipe(stage));
    source.emitAll('ktenfcx');
    expect(out.values).toEqual(['x']);
    expect(source.marked('ack')).toBe('k t e n f c x');
    expect(causes.map((cause) => (cause as Error).message.split(':')[0])).toEqual([
      'boom',
      'boom',
      'enrich',
      'enrich',
      'boom',
      'boom',
    ]);
  });

  it('keeps the order of the input, of equal keys, or none', () => {
    const lookup = (key: string): Observable<string> =>
      timer(key === 'a' ? 4 : 1).pipe(rxMap(() => key.toUpperCase()));
    for (const [order, expected] of [
      ['input', '----(ABA|)'],
      ['none', '--B-(AA|)'],
      ['key', '--B-(AA|)'],
    ] as const) {
      testFlow(({ flow, expectFlow }) => {
        expectFlow(flow('aba|').pipe(enrich({ ...basis, lookup, order }))).toBe(expected);
      });
    }
  });

  it('lets no more than `concurrency` values wait', () => {
    const { source, service } = rig({ concurrency: 2 });
    source.emitAll('abc', { complete: false });
    expect(service.asked).toEqual(['a', 'b']);
  });

  it('shares its cache among the claims of a flow, and not beyond eachClaim', () => {
    const asked: string[] = [];
    const lookup = (key: string): Observable<string> => (asked.push(key), of(key));
    const options = { ...basis, lookup };
    testFlow(({ claims, expectFlow }) => {
      const source = claims({ 't-0': 'a-|', 't-1': '-a|' });
      expectFlow(source.pipe(enrich(options))).toBe('aa|');
    });
    expect(asked).toEqual(['a']);
    testFlow(({ claims, expectFlow }) => {
      const source = claims({ 't-0': 'a-|', 't-1': '-a|' });
      expectFlow(source.pipe(eachClaim((claim) => claim.pipe(enrich(options))))).toBe('aa|');
    });
    expect(asked).toEqual(['a', 'a', 'a']);
  });

  it('tells keys apart as they are: bytes by content, text that looks like them, null and undefined', () => {
    const source = new ManualSource<Key>();
    const asked: unknown[] = [];
    const stage = enrich<Key, Key, string, string>({
      ...basis,
      key: (x) => x,
      lookup: (key) => (asked.push(key), of('x')),
      combine: () => 'x',
    });
    collect(source.flow.pipe(stage));
    const keys = [
      Buffer.from('a'),
      'a',
      '\0bytesa',
      null,
      undefined,
      '\0null',
      '\0undefined',
      1,
      '1',
      1n,
      true,
    ];
    source.emitAll([...keys, ...keys, new Uint8Array([97])], { complete: false });
    expect(asked).toEqual(keys);
    source.emit({} as never);
    expect(source.marked('nack')).toBe('[object Object]');
  });

  it('aborts a lookup when all who waited for it are lost, not before, and asks anew for those who come', async () => {
    const { source, service, out } = rig();
    const other = new ManualSource<string>();
    source.emit('a');
    source.subscriber!.next(other.emit('a'));
    source.lose();
    expect(service.signals[0]!.aborted).toBe(false);
    other.lose();
    expect(service.signals[0]!.aborted).toBe(true);
    expect(source.marked('give-up') + other.marked('give-up')).toBe('aa');
    const third = new ManualSource<string>();
    source.subscriber!.next(third.emit('a'));
    service.answer(0, 'late');
    await source.time.settle();
    expect(out.values).toEqual([]);
    service.answer(1, 'A');
    await source.time.settle();
    expect(out.values).toEqual(['A']);
  });

  it('does not wait for more than its time, and gives the lookup up when nobody waits', async () => {
    const { source, service, out } = rig({ timeoutMs: 5, onError: skip });
    source.emitAll('a');
    await source.time.advance(5);
    expect(service.signals[0]!.aborted).toBe(true);
    expect(source.marked('ack')).toBe('a');
    expect(out.ended).toEqual(['complete']);
    expect(source.time.pendingTimers).toBe(0);
  });

  it('aborts its lookups and gives everything up when it is unsubscribed', () => {
    const { source, service, out } = rig();
    source.emitAll('aab', { complete: false });
    out.stop();
    expect(service.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(source.marked('give-up')).toBe('a a b');
    expect(source.time.pendingTimers).toBe(0);
  });

  it('goes on with running lookups while its claim is given away', () => {
    testFlow(({ flow, expectFlow, expectAcks, revoke }) => {
      const source = flow('ab|');
      revoke(source, '--!');
      expectFlow(source.pipe(enrich(basis))).toBe('---A(B|)');
      expectAcks(source).toBe('---ab');
    });
  });

  it('keeps order when settling brings the next value inside, however long the line', () => {
    for (const order of ['input', 'none', 'key'] as const) {
      const { source, out } = rig({ lookup: (key) => of(key), order, concurrency: 2 }, 3);
      const all = Array.from({ length: 2_000 }, (_, at) => String(at % 7));
      source.emitAll(all);
      expect(out.values).toEqual(all);
      expect(source.problems).toEqual([]);
    }
  });

  it('checks its options', () => {
    const make = (more: object) => () => enrich<string, string, string | null, string>({ ...basis, ...more });
    expect(make({ ttlMs: undefined })).toThrow(/ttlMs/);
    expect(make({ ttlMs: -1 })).toThrow(/ttlMs/);
    expect(make({ missingTtlMs: NaN })).toThrow(/missingTtlMs/);
    expect(make({ maxEntries: 0 })).toThrow(/maxEntries/);
    expect(make({ key: undefined })).toThrow(/key is a function/);
    expect(make({ lookup: 1 })).toThrow(/lookup is a function/);
    expect(make({ combine: null })).toThrow(/combine is a function/);
    expect(make({ order: 'x' })).toThrow(/'input', 'key' or 'none'/);
  });
});
