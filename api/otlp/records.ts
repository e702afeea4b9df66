import { setImmediate } from 'node:timers/promises';
import type { Group } from './body.ts';
import { type Attributes, attributesOf } from './schema.ts';

/** Milliseconds of reading after which others get their turn. */
const atOnceMs = 10;
const problemsTold = 3;

export interface ReadRecords<T> {
  items: T[];
  /** Records that could not be taken; sending them again does not help. */
  rejected: number;
  /** Why, of the first kinds; '' where none was. */
  message: string;
}

/**
 * Reads the first `most` records of a request without holding the event loop; a bad one is left out and counted, those
 * beyond are not looked at.
 */
export async function readRecords<T extends object>(
  groups: readonly Group[],
  most: number,
  read: (record: unknown, resource: Attributes) => T | { problem: string },
): Promise<ReadRecords<T>> {
  const items: T[] = [];
  const problems = new Set<string>();
  let rejected = 0;
  let left = most;
  let since = performance.now();
  for (const group of groups) {
    if (left === 0) break;
    // without records nobody asks what it says of itself
    if (group.records.length === 0) continue;
    const resource = attributesOf(resourceOf(group));
    for (const record of group.records.slice(0, left)) {
      if (performance.now() - since > atOnceMs) {
        await setImmediate();
        since = performance.now();
      }
      left--;
      const item = read(decoded(group, record), resource);
      if ('problem' in item) {
        rejected++;
        if (problems.size < problemsTold) problems.add(item.problem);
      } else items.push(item);
    }
  }
  return { items, rejected, message: [...problems].join('; ') };
}

export function countRecords(groups: readonly Group[]): number {
  return groups.reduce((sum, { records }) => sum + records.length, 0);
}

/** A resource whose bytes are broken says nothing of its records. */
function resourceOf(group: Group): readonly unknown[] {
  try {
    return group.attributes();
  } catch {
    return [];
  }
}

/** A record whose bytes are broken is one that has nothing right in it. */
function decoded(group: Group, record: unknown): unknown {
  try {
    return group.read(record);
  } catch {
    return undefined;
  }
}
