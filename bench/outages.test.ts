import { expect, test } from 'vitest';
import { groupAlerts } from '../domain/correlation/group-alerts.ts';
import { anySettings } from './outage-regimes.ts';
import { makeOutages } from './outages.ts';
import { pairwise } from './pairwise.ts';
import { Random } from './random.ts';

const cases = Array.from({ length: 40 }, (_, seed) => makeOutages(anySettings(new Random(seed)), seed));

test('generated outages are told apart about as well as the documentation says', () => {
  const scores = cases.map(({ alerts, dependencies }) =>
    pairwise(alerts, groupAlerts(alerts, dependencies).groups),
  );
  expect(scores.reduce((sum, { f1 }) => sum + f1, 0) / scores.length).toBeGreaterThan(0.88);
});

test('the same seed makes the same outages, and what fails is in the graph', () => {
  const again = makeOutages(anySettings(new Random(7)), 7);
  expect(again).toEqual(cases[7]);
  const known = new Set(again.dependencies.flatMap(({ from, to }) => [from, to]));
  expect(again.causes.every((cause) => known.has(cause))).toBe(true);
  expect(again.alerts.every(({ service }) => service === null || known.has(service))).toBe(true);
});

test('pairs are counted', () => {
  const alerts = [{ outage: 0 }, { outage: 0 }, { outage: 0 }, { outage: -1 }];
  expect(pairwise(alerts, [[0, 1, 2], [3]])).toEqual({ precision: 1, recall: 1, f1: 1 });
  expect(
    pairwise(alerts, [
      [0, 1],
      [2, 3],
    ]),
  ).toEqual({ precision: 0.5, recall: 1 / 3, f1: 0.4 });
  expect(pairwise([{ outage: -1 }], [[0]])).toEqual({ precision: 1, recall: 1, f1: 1 });
});
