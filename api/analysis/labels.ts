import { z } from 'zod';

const labelsAtMost = 64;
const nameLength = 1024;
const valueLength = 65_536;

/** One check over all labels: a schema for each of those of 10,000 alerts would hold up others. */
export const labels = z
  .custom<Record<string, string>>(
    isLabels,
    `write at most ${labelsAtMost} labels {"name": "value"}, names up to ${nameLength} characters and values up to ${valueLength}`,
  )
  .meta({
    override: {
      type: 'object',
      maxProperties: labelsAtMost,
      propertyNames: { maxLength: nameLength },
      additionalProperties: { type: 'string', maxLength: valueLength },
    },
  });

function isLabels(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  const entries = Object.entries(given);
  return (
    entries.length <= labelsAtMost &&
    entries.every(
      ([name, value]) =>
        name.length <= nameLength && typeof value === 'string' && value.length <= valueLength,
    )
  );
}

/** Characters of what alerts say: work grows with them as with their number. */
export function charactersOf(
  alerts: readonly {
    service?: string | null | undefined;
    name: string;
    labels?: Record<string, string> | undefined;
  }[],
): number {
  let characters = 0;
  for (const { service, name, labels = {} } of alerts) {
    characters += name.length + (service?.length ?? 0);
    for (const [label, value] of Object.entries(labels)) characters += label.length + value.length;
  }
  return characters;
}
