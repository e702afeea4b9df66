import type { NewAlert } from './snapshot.ts';

/** Labels that name many things at once, or none. */
const ofMany = new Set([
  'alertname',
  'severity',
  'namespace',
  'cluster',
  'region',
  'zone',
  'environment',
  'env',
  'team',
]);

/**
 * The service of an alert that names none: the known one that a label names, such as `deployment`, or that its value
 * begins with as names of pods and hosts do ('checkout-7d9f-x2x4q', 'checkout:8080'); the longest of several. Null when
 * no label does.
 */
export function attributedService(alert: NewAlert, known: ReadonlySet<string>): string | null {
  if (alert.service !== null) return alert.service;
  let longest: string | null = null;
  for (const [label, value] of Object.entries(alert.labels)) {
    if (ofMany.has(label)) continue;
    for (const name of namesIn(value)) {
      if (known.has(name) && name.length > (longest?.length ?? 0)) longest = name;
    }
  }
  return longest;
}

/** Characters of a value that are looked at. */
const valueLimit = 253;

/** The value and what it begins with, up to each of its separators. */
function* namesIn(value: string): Generator<string> {
  const looked = value.slice(0, valueLimit);
  yield looked;
  for (const { index } of looked.matchAll(/[-.:_/]/g)) yield looked.slice(0, index);
}
