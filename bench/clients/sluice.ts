// Ours, through the public surface and with every default but what the workload names.
import { runTask } from './run-task.ts';
import { consume, consumeJson, consumeText, keyed, read } from './sluice/consume.ts';
import { pipe, steady } from './sluice/flows.ts';
import { awaited, files, produce } from './sluice/produce.ts';
import { kafka } from './sluice/setup.ts';

await runTask(
  {
    produce,
    files,
    awaited,
    read,
    consume,
    'consume-text': consumeText,
    'consume-json': consumeJson,
    keyed,
    pipe,
    steady,
  },
  () => kafka.close(),
);
