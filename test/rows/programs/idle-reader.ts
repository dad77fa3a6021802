// Reads idle partitions; prints the bytes on the wire and the processor time that takes, after a time of getting warm.
import { Kafka } from '../../../src/core/client.ts';
import { tcpTransport, type Transport } from '../../../src/core/network/transport.ts';
import { startReading } from '../support/reading.ts';

let bytes = 0;
const counting: Transport = {
  connect(address, events) {
    const wire = tcpTransport.connect(address, {
      ...events,
      onOpen: () => events.onOpen(),
      onDrain: () => events.onDrain(),
      onClose: (cause) => events.onClose(cause),
      onData: (chunk) => {
        bytes += chunk.length;
        events.onData(chunk);
      },
    });
    return {
      write: (data) => {
        bytes += data.length;
        return wire.write(data);
      },
      destroy: () => wire.destroy(),
      ref: () => wire.ref?.(),
      unref: () => wire.unref?.(),
    };
  },
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const cpuMs = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1000;

async function main(bootstrap: string, topic: string, warmMs: number, measuredMs: number): Promise<void> {
  const kafka = new Kafka({ brokers: bootstrap.split(',') }, { transport: counting });
  const { seen, close } = await startReading(kafka, { topic, from: 'latest' });
  await sleep(warmMs);
  const [bytesBefore, cpuBefore, from] = [bytes, cpuMs(), performance.now()];
  await sleep(measuredMs);
  const seconds = (performance.now() - from) / 1000;
  const figures = {
    partitions: seen.length,
    bytesPerSecond: (bytes - bytesBefore) / seconds,
    cpuMsPerSecond: (cpuMs() - cpuBefore) / seconds,
  };
  close();
  await kafka.close();
  console.log(JSON.stringify(figures));
}

void main(process.argv[2]!, process.argv[3]!, Number(process.argv[4]), Number(process.argv[5]));
