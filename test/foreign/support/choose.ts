// Jest's global set-up of the foreign clients: the box of each test, unless SLUICE_BROKER names a real Kafka to prove the programs on.
import chooseBroker from '../../helpers/kafka/choose-broker.ts';

export default async function choose(): Promise<void> {
  const name = process.env['SLUICE_BROKER'] ?? '';
  const isBox = name === '' || name === 'box';
  if (isBox) delete process.env['KAFKA_BROKERS'];
  else await chooseBroker();
}
