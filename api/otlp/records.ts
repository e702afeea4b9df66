import { setImmediate } from 'node:timers/promises';
import type { Group } from './body.ts';
import { type Attributes, attributesOf } from './schema.ts';

/** Records that are read before others get their turn: some 10 ms. */
const atOnce = 200;
const problemsTold = 3;

export interface ReadRecords<T> {
  items: T[];
  /** Records that could not be taken; sending them again does not help. */
  rejected: number;
  /** Why, of the first kinds; '' where none was. */
  message: string;
}

/** Reads all records of a request without holding the event loop; a bad one is left out and counted. */
export async function readRecords<T extends object>(
  groups: readonly Group[],
  read: (record: unknown, resource: Attributes) => T | { problem: string },
): Promise<ReadRecords<T>> {
  const items: T[] = [];
  const problems = new Set<string>();
  let rejected = 0;
  let count = 0;
  for (const group of groups) {
    const resource = attributesOf(group.resource);
    for (const record of group.records) {
      if (++count % atOnce === 0) await setImmediate();
      const item = read(decoded(group, record), resource);
      if ('problem' in item) {
        rejected++;
        if (problems.size < problemsTold) problems.add(item.problem);
      } else items.push(item);
    }
  }
  return { items, rejected, message: [...problems].join('; ') };
}

/** A record whose bytes are broken is one that has nothing right in it. */
function decoded(group: Group, record: unknown): unknown {
  try {
    return group.read(record);
  } catch {
    return undefined;
  }
}
