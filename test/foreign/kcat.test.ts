import { foreign } from './support/foreign.ts';

foreign({
  client: 'kcat',
  name: 'kcat 1.7.1',
  absent: { 2: 'kcat creates no topics', 11: 'kcat administers nothing' },
});
