// Forbids the real clock, real chance and real timers for a while: who uses them in a simulated run makes it another run each time.
import { createRequire, syncBuiltinESMExports } from 'node:module';

/** Builtin modules as objects that can be changed. */
const require = createRequire(import.meta.url);

interface Spot {
  readonly of: object;
  readonly name: string;
}

function spots(): Spot[] {
  const crypto = require('node:crypto') as object;
  const timers = require('node:timers') as object;
  const names = ['setTimeout', 'setInterval', 'setImmediate'];
  return [
    ...[globalThis, timers].flatMap((of) => names.map((name) => ({ of, name }))),
    { of: Date, name: 'now' },
    { of: Math, name: 'random' },
    { of: performance, name: 'now' },
    { of: process, name: 'hrtime' },
    { of: process, name: 'uptime' },
    { of: globalThis.crypto, name: 'randomUUID' },
    { of: globalThis.crypto, name: 'getRandomValues' },
    ...['randomUUID', 'randomBytes', 'randomInt', 'randomFillSync'].map((name) => ({ of: crypto, name })),
  ];
}

/** A pump for a VirtualClock that goes on to work. Taken at the start, before anything is forbidden. */
export const realImmediate: (step: () => void) => void = setImmediate;

/** Everything that is forbidden throws, and is named in `uses`, should somebody catch it. `restore` allows it again. */
export function poison(): { readonly uses: string[]; readonly restore: () => void } {
  const uses: string[] = [];
  const undos = spots().map(({ of, name }) => {
    const own = Object.getOwnPropertyDescriptor(of, name);
    Object.defineProperty(of, name, {
      configurable: true,
      writable: true,
      value: () => {
        const error = new Error(`${name} was used in a simulated run`);
        uses.push(error.stack ?? error.message);
        throw error;
      },
    });
    return () => {
      if (own === undefined) Reflect.deleteProperty(of, name);
      else Object.defineProperty(of, name, own);
    };
  });
  // `new Date()` without an argument is the time of day too.
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct(target, args: unknown[]) {
      if (args.length === 0) {
        uses.push(new Error('new Date() was used in a simulated run').stack ?? '');
        throw new Error('new Date() was used in a simulated run');
      }
      return Reflect.construct(target, args) as object;
    },
  });
  syncBuiltinESMExports();
  return {
    uses,
    restore: () => {
      globalThis.Date = RealDate;
      for (const undo of undos) undo();
      syncBuiltinESMExports();
    },
  };
}
