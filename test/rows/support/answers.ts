import { onEvent } from '../../../src/core/events/channels.ts';

/** How many requests of one kind brokers have answered to the clients of this process, from now on until `stop`. */
export function answersTo(api: string): { count: number; stop(): void } {
  const stop = onEvent('sluice:request', (event) => {
    if (event.kind === 'answered' && event.api === api) answers.count += 1;
  });
  const answers = { count: 0, stop };
  return answers;
}
