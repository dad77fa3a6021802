// Sends, as a history sees them.
import type { Producer } from '../../../src/core/producer/producer.ts';
import type { Receipt } from '../../../src/core/producer/receipt.ts';
import { OutcomeUnknownError, TimeoutError } from '../../../src/errors.ts';
import type { KafkaError } from '../../../src/errors.ts';
import type { OfClaim } from '../history/event.ts';
import type { Recorder } from '../history/recorder.ts';
import { valueOf } from './world.ts';

export interface Sending {
  readonly process: string;
  readonly send: string;
  readonly topic: string;
  readonly key: string | null;
  readonly valueBytes?: number | undefined;
  /** Default: the name, and `valueBytes` of padding. */
  readonly value?: string | undefined;
  readonly from?: OfClaim | undefined;
  /** The claim it is made for is dead. */
  readonly isDead?: (() => boolean) | undefined;
  readonly onDone?: ((how: 'ok' | 'failed' | 'withdrawn') => void) | undefined;
}

/** A send without a clear end may be in the log; only what was never sent, or was refused, is not. */
function isUnknown(error: KafkaError): boolean {
  return error instanceof OutcomeUnknownError || (error instanceof TimeoutError && error.sent);
}

/** Records its fate; returns what `Producer.send` returns. */
export function sendRecorded(producer: Producer, recorder: Recorder, sending: Sending): boolean {
  const { process, send, topic, key, from, isDead, onDone } = sending;
  const value = sending.value ?? valueOf(send, sending.valueBytes ?? 0);
  recorder.add({ kind: 'invoked', process, send, topic, ...(from === undefined ? {} : { from }) });
  const receipt: Receipt = {
    onAcked(partition, offset) {
      recorder.add({ kind: 'ok', process, send, topic, partition, offset });
      onDone?.('ok');
    },
    onFailed(error) {
      recorder.add({ kind: isUnknown(error) ? 'unknown' : 'failed', process, send, error: error.message });
      onDone?.('failed');
    },
    ...(isDead === undefined
      ? {}
      : {
          isWithdrawn() {
            const dead = isDead();
            recorder.add({ kind: dead ? 'withdrawn' : 'sealed', send });
            return dead;
          },
          onWithdrawn: () => onDone?.('withdrawn'),
        }),
  };
  return producer.send(topic, { key, value }, receipt);
}
