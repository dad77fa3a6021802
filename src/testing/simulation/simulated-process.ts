// A process in simulated time: everything that a client in it learns (timers, bytes) goes through here, so that it can stand still or be gone.
import type { Clock, Timer } from '../../core/clock.ts';
import type { BrokerAddress, Transport, Wire, WireEvents } from '../../core/network/transport.ts';

interface OpenWire {
  readonly wire: Wire;
  silent: boolean;
}

/** The clock and the network of one process. What it runs only ever runs because one of the two called it. */
export class SimulatedProcess {
  readonly clock: Clock;
  readonly transport: Transport;
  private state: 'running' | 'stopped' | 'dead' = 'running';
  private readonly world: Clock;
  private readonly network: Transport;
  private readonly waiting: (() => void)[] = [];
  private readonly wires = new Set<OpenWire>();
  private readonly timers = new Set<object>();

  constructor(world: Clock, network: Transport) {
    this.world = world;
    this.network = network;
    this.clock = {
      now: () => world.now(),
      wallNow: () => world.wallNow(),
      setTimeout: (callback, delayMs) => this.timer(callback, delayMs),
      defer: (callback) => world.defer(() => this.run(callback)),
    };
    this.transport = { connect: (address, events) => this.connect(address, events) };
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** As by SIGSTOP: what is due meanwhile happens at `resume()`, in its order. */
  stop(): void {
    if (this.state === 'running') this.state = 'stopped';
  }

  resume(): void {
    if (this.state !== 'stopped') return;
    this.state = 'running';
    const due = this.waiting.splice(0);
    for (const callback of due) this.world.defer(() => this.run(callback));
  }

  /** As by SIGKILL, the connections closed by its system; or, silently, as by the end of its machine. */
  die(silently: boolean): void {
    this.state = 'dead';
    this.waiting.length = 0;
    for (const open of this.wires) {
      open.silent = true;
      if (!silently) open.wire.destroy();
    }
  }

  /** Every open connection is silent from now on, and neither end is told. */
  silence(): void {
    for (const open of this.wires) open.silent = true;
  }

  /** Breaks every open connection. */
  cut(): void {
    for (const open of [...this.wires]) open.wire.destroy();
  }

  private run(callback: () => void): void {
    if (this.state === 'running') callback();
    else if (this.state === 'stopped') this.waiting.push(callback);
  }

  private timer(callback: () => void, delayMs: number): Timer {
    const id = {};
    this.timers.add(id);
    const timer = this.world.setTimeout(() => {
      this.run(() => {
        // Cancelled while the process stood still.
        if (!this.timers.delete(id)) return;
        callback();
      });
    }, delayMs);
    return {
      cancel: () => {
        this.timers.delete(id);
        timer.cancel();
      },
    };
  }

  private connect(address: BrokerAddress, events: WireEvents): Wire {
    const tell = (what: () => void): void => {
      if (!open.silent) this.run(what);
    };
    const wire = this.network.connect(address, {
      onOpen: () => tell(() => events.onOpen()),
      onData: (chunk) => tell(() => events.onData(chunk)),
      onDrain: () => tell(() => events.onDrain()),
      onClose: (cause) => {
        this.wires.delete(open);
        tell(() => events.onClose(cause));
      },
    });
    const open: OpenWire = { wire, silent: false };
    this.wires.add(open);
    // What was under way when it died may still get here; its system takes no more connections.
    if (this.state === 'dead') {
      open.silent = true;
      wire.destroy();
    }
    return {
      write: (bytes) => open.silent || wire.write(bytes),
      destroy: () => {
        open.silent = false;
        wire.destroy();
      },
    };
  }
}
