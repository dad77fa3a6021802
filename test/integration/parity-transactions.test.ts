// The box answers as Kafka 4.3.1: the same requests go to both, and what comes back is the same but for names, ids and times.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createBroker } from '../../src/testing/broker/create-broker.ts';
import type { BrokerBox } from '../../src/testing/broker/broker-box.ts';
import { tcpTransport } from '../../src/core/network/transport.ts';
import { WireClient } from '../testing/broker/wire-client.ts';
import { randomTranscript } from '../testing/broker/parity/random-transcript.ts';
import { Stage } from '../testing/broker/parity/stage.ts';
import { transcripts } from '../testing/broker/parity/transcripts.ts';
import { brokers, uniqueName } from '../helpers/brokers.ts';

const TRANSACTIONS_2 = 2;
const PAUSE_MS = 20;
const SEEDS = [3, 10, 52];
/** Ahead of the brokers' clocks, but not as far as Kafka refuses (`message.timestamp.after.max.ms`). */
const AHEAD_MS = 1_800_000;

const isReal = brokers !== undefined && ['docker', 'jars'].includes(process.env['SLUICE_BROKER_KIND'] ?? '');
const suite = isReal && process.env['SLUICE_BROKER'] !== '3.9' ? describe : describe.skip;

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS);
  });

suite('the box beside a real Kafka', () => {
  let box: BrokerBox;

  beforeAll(async () => {
    box = await createBroker({
      autoCreateTopics: false,
      features: { 'transaction.version': TRANSACTIONS_2 },
    });
  });

  afterAll(async () => {
    await box.close();
    expect(box.internalErrors).toEqual([]);
  });

  const chosen = SEEDS.map(
    (seed) => [`anything in any order, seed ${seed}`, randomTranscript(seed)] as const,
  );

  it.each([...Object.entries(transcripts), ...chosen])('%s', async (_name, transcript) => {
    const run = uniqueName('parity');
    const baseMs = Date.now() + AHEAD_MS;
    const [ours, kafkas] = [box.bootstrap[0]!, brokers![0]!].map(
      (bootstrap) => new Stage(new WireClient(tcpTransport, bootstrap, 'parity'), run, baseMs, pause),
    ) as [Stage, Stage];
    try {
      await transcript(ours);
      await transcript(kafkas);
      expect(ours.notes).toEqual(kafkas.notes);
      expect(ours.notes.length).toBeGreaterThan(10);
    } finally {
      ours.close();
      kafkas.close();
    }
  });
});
