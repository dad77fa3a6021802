import { foreign } from './support/foreign.ts';

foreign({ client: 'tools', name: "Kafka's command line tools 4.3.1" });
