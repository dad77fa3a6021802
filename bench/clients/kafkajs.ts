// kafkajs in its fast documented modes: sendBatch with large batches, eachBatch with autoCommit.
import { consume, consumeJson, consumeText, keyed, pipe, steady } from './kafkajs/consume.ts';
import { awaited, files, produce } from './kafkajs/produce.ts';
import { close } from './kafkajs/setup.ts';
import { runTask } from './run-task.ts';

await runTask(
  {
    produce,
    files,
    awaited,
    consume,
    'consume-text': consumeText,
    'consume-json': consumeJson,
    keyed,
    pipe,
    steady,
  },
  close,
);
