// Everything that is told while a test runs.
import { onEvent, type SluiceEvents } from '../../../src/core/events/channels.ts';

const CHANNELS = Object.keys({
  'sluice:connection': true,
  'sluice:request': true,
  'sluice:metadata': true,
  'sluice:produce': true,
  'sluice:fetch': true,
  'sluice:credit': true,
  'sluice:rebalance': true,
  'sluice:blocked': true,
  'sluice:commit': true,
  'sluice:transaction': true,
  'sluice:topology': true,
  'sluice:topology-restart': true,
  'sluice:transaction-undone': true,
  'sluice:delivery-problem': true,
  'sluice:record-stuck': true,
} satisfies { [N in keyof SluiceEvents]: true }) as readonly (keyof SluiceEvents)[];

/** Listens on every channel until `close()`. */
export class RecordedEvents {
  readonly all: { readonly channel: keyof SluiceEvents; readonly event: unknown }[] = [];
  private readonly stops: readonly (() => void)[];

  constructor() {
    this.stops = CHANNELS.map((channel) => onEvent(channel, (event) => this.all.push({ channel, event })));
  }

  of<N extends keyof SluiceEvents>(channel: N): SluiceEvents[N][] {
    return this.all.filter((one) => one.channel === channel).map(({ event }) => event as SluiceEvents[N]);
  }

  /** The kinds of a channel's events, in order. */
  kinds(channel: keyof SluiceEvents): string[] {
    return this.of(channel).map((event) => ('kind' in event ? event.kind : channel));
  }

  close(): void {
    for (const stop of this.stops) stop();
  }
}
