// What Kafka's tools do and this client cannot do yet.

import { EXIT_USAGE, type Surroundings } from './command.ts';

/** Says so to the harness, as an event, and to people; answers with the exit code. Nothing was started. */
export function refuse({ events, note }: Surroundings, what: string, why: string): number {
  const message = `${what} is not supported: ${why}`;
  events.event('error', { exception: 'UNSUPPORTED', message });
  note(message);
  return EXIT_USAGE;
}
