// The WebAssembly of zstd in threads of its own: it has no other way not to keep the event loop waiting. Started when the first large batch comes.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from './limits.ts';

/** What a thread is asked for: to compress at a level, or to decompress into so much room. */
export type ZstdWork =
  { readonly data: Buffer; readonly level: number } | { readonly data: Buffer; readonly room: number };

interface Answer {
  readonly id: number;
  readonly bytes?: Uint8Array;
  readonly error?: string;
}

interface Waiter {
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

// As text, since a file beside this one would have to be found after any bundler.
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const zstd = require(workerData);
zstd.init().then(() => {
  parentPort.on('message', ({ id, data, level, room }) => {
    try {
      const bytes =
        level === undefined ? zstd.decompress(data, { defaultHeapSize: room }) : zstd.compress(data, level);
      parentPort.postMessage({ id, bytes }, [bytes.buffer]);
    } catch (error) {
      parentPort.postMessage({ id, error: String(error && error.message) });
    }
  });
});
`;
const MAX_THREADS = 2;

/** One thread; keeps the process alive only while it works. */
class ZstdThread {
  private readonly worker: Worker;
  private readonly waiters = new Map<number, Waiter>();
  private readonly onEnd: (thread: ZstdThread) => void;
  private last = 0;

  constructor(file: string, onEnd: (thread: ZstdThread) => void) {
    this.onEnd = onEnd;
    this.worker = new Worker(PROGRAM, { eval: true, workerData: file, execArgv: [] });
    this.worker.unref();
    this.worker.on('message', (answer: Answer) => this.take(answer));
    this.worker.on('error', (error) => this.end(error));
    this.worker.on('exit', () => this.end(new Error('its thread ended')));
  }

  get waiting(): number {
    return this.waiters.size;
  }

  run(work: ZstdWork): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const id = (this.last += 1);
      if (this.waiters.size === 0) this.worker.ref();
      this.waiters.set(id, { resolve, reject });
      // A copy, since what is sent as a part of larger memory takes all of that along.
      const data = Uint8Array.from(work.data);
      this.worker.postMessage({ ...work, id, data }, [data.buffer]);
    });
  }

  private take({ id, bytes, error }: Answer): void {
    const waiter = this.waiters.get(id);
    if (waiter === undefined) return;
    this.waiters.delete(id);
    if (this.waiters.size === 0) this.worker.unref();
    if (bytes === undefined) waiter.reject(new Error(error));
    else waiter.resolve(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  private end(error: unknown): void {
    this.onEnd(this);
    for (const waiter of this.waiters.values())
      waiter.reject(new Error(`the thread of zstd failed: ${messageOf(error)}`));
    this.waiters.clear();
  }
}

/** As many threads as there is work for at a time, up to two. */
export class ZstdThreads {
  private readonly file: string;
  private readonly most = Math.min(MAX_THREADS, availableParallelism());
  private threads: ZstdThread[] = [];

  constructor(file: string) {
    this.file = file;
  }

  /** Rejects with what the package throws. */
  run(work: ZstdWork): Promise<Buffer> {
    let idlest = this.threads[0];
    for (const thread of this.threads) if (thread.waiting < idlest!.waiting) idlest = thread;
    if (idlest === undefined || (idlest.waiting > 0 && this.threads.length < this.most)) {
      idlest = new ZstdThread(this.file, (ended) => {
        this.threads = this.threads.filter((thread) => thread !== ended);
      });
      this.threads.push(idlest);
    }
    return idlest.run(work);
  }
}

/** Undefined where the package cannot be found by its file, as in a bundle: its work is done in the caller's turn then. */
export function startZstdThreads(packageName: string): ZstdThreads | undefined {
  // An optional peer is installed by the program, so that is where it is looked for.
  for (const from of [process.argv[1], path.join(process.cwd(), 'package.json')]) {
    if (from === undefined) continue;
    try {
      return new ZstdThreads(createRequire(from).resolve(packageName));
    } catch {
      // It may be in the other place.
    }
  }
  return undefined;
}
