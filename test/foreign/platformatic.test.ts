import { foreign } from './support/foreign.ts';

foreign({ client: 'platformatic', name: '@platformatic/kafka 2.12.1' });
