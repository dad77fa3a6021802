// A member of a group that has nothing to read. Arguments: brokers, topic, group, partitions. Says when it has all of them.
import { Kafka, settle, sluice } from 'sluice';

const [brokers, topic, groupId, partitions] = process.argv.slice(2) as [string, string, string, string];
const { fromGroup } = sluice(new Kafka({ brokers: brokers.split(',') }));
const claims = fromGroup({ groupId, topics: [topic] });
let claimed = 0;
claims.rebalances.subscribe(() => {
  if (++claimed === Number(partitions)) console.log('ready');
});
claims.pipe(settle()).subscribe();
