import { foreign } from './support/foreign.ts';

foreign({ client: 'sarama', name: 'sarama 1.61.1' });
