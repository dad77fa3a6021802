// Kafka's eager sticky assignor.

import type { Assignor } from './assignor.ts';
import { divideSticky, sharesOf } from './sticky/divide.ts';
import { stickyGroup } from './sticky/group.ts';
import { decodeRemembered, encodeRemembered } from './sticky/user-data.ts';

/**
 * As even as it can be, and of all such divisions one that moves little: members send along what they held last. Everybody gives everything up
 * first all the same; `cooperativeStickyAssignor` does not. Equal to Java's StickyAssignor.
 */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  assign(partitionCounts, members, racks = new Map()) {
    const group = stickyGroup(partitionCounts, members, racks, ({ userData }) => decodeRemembered(userData));
    return sharesOf(members, divideSticky(group).shares);
  },
  userData: (_, last) => (last === undefined ? null : encodeRemembered(last)),
};
