import { foreign } from './support/foreign.ts';

foreign({
  client: 'kafkajs',
  name: 'kafkajs 2.2.4',
  absent: { 9: 'kafkajs has neither' },
});
