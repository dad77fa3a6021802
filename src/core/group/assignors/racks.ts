// Whether racks are worth looking at.

/** As Kafka decides it: members and replicas share a rack, and not every partition is on all of them anyway. */
export function racksMatter(
  memberRacks: Iterable<string>,
  partitionRacks: readonly (readonly string[])[],
): boolean {
  const all = new Set(partitionRacks.flat());
  if (![...memberRacks].some((rack) => all.has(rack))) return false;
  return partitionRacks.some((racks) => racks.length !== all.size);
}

/** The rack of a member; undefined when it does not say. */
export function rackOf({ rackId }: { readonly rackId: string | null }): string | undefined {
  return rackId === null || rackId === '' ? undefined : rackId;
}
