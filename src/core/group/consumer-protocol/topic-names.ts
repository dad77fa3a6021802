// Topic ids to names.

import type { MetadataCache } from '../../cluster/metadata.ts';

/** Names once found stay, as long as the member has to do with the topic: claims of a deleted topic are given up by name too. */
export class TopicNames {
  private readonly metadata: MetadataCache;
  private readonly known = new Map<string, string>();

  constructor(metadata: MetadataCache) {
    this.metadata = metadata;
  }

  has(topicId: string): boolean {
    return this.find(topicId) !== undefined;
  }

  /** Only of ids it has. */
  nameOf(topicId: string): string {
    const name = this.find(topicId);
    if (name === undefined) throw new Error(`no topic of the metadata has the id ${topicId}`);
    return name;
  }

  /** All others are forgotten. */
  keep(topicIds: ReadonlySet<string>): void {
    for (const topicId of this.known.keys()) if (!topicIds.has(topicId)) this.known.delete(topicId);
  }

  private find(topicId: string): string | undefined {
    const known = this.known.get(topicId);
    if (known !== undefined) return known;
    const name = this.metadata.topicById(topicId)?.name;
    if (name !== undefined) this.known.set(topicId, name);
    return name;
  }
}
