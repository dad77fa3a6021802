import { foreign } from './support/foreign.ts';

foreign({ client: 'rdkafka', name: 'node-rdkafka 3.6.1 (librdkafka 2.12)' });
