import type { Clock, Random } from '../../../../core/clock.ts';
import type { GroupTimings } from '../../options.ts';
import type { TopicNames } from './regexes.ts';
import type { TopicSizes } from './target-assignment.ts';

export interface ClusterTopics extends TopicSizes, TopicNames {
  /** Changes whenever a topic comes, goes or grows. */
  readonly version: number;
}

/** What a consumer group needs from its cluster. */
export interface ConsumerGroupEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly timings: GroupTimings;
  readonly topics: ClusterTopics;
  /** Called after every change. */
  readonly changed: () => void;
  /** These members are to go. True when the group became a classic one by that, as all that remain are of that protocol. */
  readonly downgrade: (leaving: ReadonlySet<string>) => boolean;
}
