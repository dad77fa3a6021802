// The process that a member of a tested topology lives in: all it learns (timers, bytes) comes through here, so that it can stand still or be gone.
import type { Clock, Timer } from '../../core/clock.ts';
import type { BrokerAddress, Transport, Wire, WireEvents } from '../../core/network/transport.ts';

interface Link {
  readonly wire: Wire;
  severed: boolean;
}

/** A clock and a transport that obey the fate of one process. */
export class MemberProcess {
  readonly clock: Clock;
  readonly transport: Transport;
  private readonly world: Clock;
  private readonly network: Transport;
  private readonly links = new Set<Link>();
  private readonly heldUp: (() => void)[] = [];
  private fate: 'running' | 'frozen' | 'dead' = 'running';

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

  /** As by SIGSTOP: what is due meanwhile happens, in its order, when it thaws. */
  freeze(): void {
    if (this.fate === 'running') this.fate = 'frozen';
  }

  /** As by SIGCONT. */
  thaw(): void {
    if (this.fate !== 'frozen') return;
    this.fate = 'running';
    for (const callback of this.heldUp.splice(0)) this.world.defer(() => this.run(callback));
  }

  /** As by SIGKILL: nothing of it runs any more, and its system closes the connections. */
  kill(): void {
    if (this.fate === 'dead') return;
    this.fate = 'dead';
    this.heldUp.length = 0;
    for (const link of [...this.links]) {
      link.severed = true;
      link.wire.destroy();
    }
  }

  private run(callback: () => void): void {
    if (this.fate === 'running') callback();
    else if (this.fate === 'frozen') this.heldUp.push(callback);
  }

  private timer(callback: () => void, delayMs: number): Timer {
    // It may be cancelled after it was due, while the process stood still.
    let cancelled = false;
    const timer = this.world.setTimeout(
      () =>
        this.run(() => {
          if (!cancelled) callback();
        }),
      delayMs,
    );
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  private connect(address: BrokerAddress, events: WireEvents): Wire {
    const tell = (what: () => void): void => {
      if (!link.severed) this.run(what);
    };
    const wire = this.network.connect(address, {
      onOpen: () => tell(() => events.onOpen()),
      onData: (chunk) => tell(() => events.onData(chunk)),
      onDrain: () => tell(() => events.onDrain()),
      onClose: (cause) => {
        this.links.delete(link);
        tell(() => events.onClose(cause));
      },
    });
    const link: Link = { wire, severed: false };
    this.links.add(link);
    if (this.fate === 'dead') {
      link.severed = true;
      wire.destroy();
    }
    return {
      write: (bytes) => link.severed || wire.write(bytes),
      destroy: () => {
        this.links.delete(link);
        wire.destroy();
      },
    };
  }
}
