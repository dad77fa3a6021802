import { foreign } from './support/foreign.ts';

foreign({ client: 'franz', name: 'franz-go 1.22.2' });
