import { foreign } from './support/foreign.ts';

foreign({ client: 'java', name: "Java's client 4.3.1" });
