import { existsSync } from 'node:fs';
import type { AlertEvidence, Evidence, Symptom } from '../domain/root-cause/evidence.ts';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';
import { type FaultCase, faults, makeFault } from './faults.ts';
import { note, printFigure } from './figure.ts';
import { petshopDirectory, readPetshop } from './petshop.ts';

/**
 * Prints JSON lines: how often the true cause comes first, and among the first three. On the public PetShop issues
 * per traffic, with `symptom.at` as the issue names it and at its first row; and on faults of made-up systems, whose
 * metrics have other names, sampling, noise and graphs, so that nothing is fitted to one set.
 */
const seed = Number(process.argv[2] ?? 1);

if (existsSync(petshopDirectory)) {
  for (const at of ['target', 'first row'] as const) {
    const ranks = readPetshop(at).map(({ traffic, cause, ...evidence }) => ({
      group: traffic,
      rank: rankOf(cause, { alerts: [], ...evidence }),
    }));
    printShares(`petshop_${at.replace(' ', '_')}`, ranks);
  }
} else {
  note(`no PetShop issues in ${petshopDirectory}: they are not measured`);
}

note(`faults are made from seed ${seed}`);
const cases = Array.from({ length: 600 }, (_, i) => makeFault(seed * 1_000_003 + i));
const all = ranksOf(cases);
printShares(
  'fault',
  cases.map(({ fault }, i) => ({ group: fault, rank: all[i] ?? null })),
  faults,
);
printShares(
  'style',
  cases.map(({ style }, i) => ({ group: style, rank: all[i] ?? null })),
);
const some = cases.slice(0, 200);
const harder: Record<string, (one: FaultCase) => FaultCase> = {
  'alert in place of the symptom': ({ symptom, ...one }) => ({ ...one, alerts: alertFor(symptom) }),
  'neither symptom nor alert': ({ symptom: _, ...one }) => one,
  'half of the calls unknown': (one) => ({
    ...one,
    dependencies: one.dependencies.filter((_, i) => i % 2 === 0),
  }),
  'no calls known': (one) => ({ ...one, dependencies: [] }),
  'alarm two samples later': (one) => ({ ...one, ...later(one) }),
};
for (const [name, change] of Object.entries(harder)) {
  printShares(
    'fault',
    ranksOf(some.map(change)).map((rank) => ({ group: name, rank })),
    [],
    name,
  );
}

function alertFor(symptom: Symptom | undefined): AlertEvidence[] {
  if (symptom?.at === undefined) return [];
  return [{ service: symptom.service, name: 'SloBurnRate', startsAt: symptom.at * 1000 }];
}

function later({ symptom, metrics }: FaultCase): Pick<FaultCase, 'symptom'> {
  const [first, second] = metrics[0]?.points ?? [];
  if (symptom?.at === undefined || !first || !second) return {};
  return { symptom: { ...symptom, at: symptom.at + 2 * (second[0] - first[0]) } };
}

function ranksOf(cases: readonly FaultCase[]): (number | null)[] {
  return cases.map(({ cause, ...evidence }) => rankOf(cause, evidence));
}

function rankOf(cause: string, evidence: Evidence): number | null {
  const rank = rankCauses(evidence).findIndex(({ service }) => service === cause);
  return rank === -1 ? null : rank;
}

function printShares(
  name: string,
  ranks: readonly { group: string; rank: number | null }[],
  order: readonly string[] = [...new Set(ranks.map(({ group }) => group))],
  whole = 'all',
): void {
  for (const group of [...order, whole]) {
    const own = ranks.filter((one) => group === whole || one.group === group);
    for (const top of [1, 3]) {
      const right = own.filter(({ rank }) => rank !== null && rank < top).length;
      printFigure({
        name: `${name}_${group.replaceAll(' ', '_')}_top${top}`,
        value: right / own.length,
        unit: 'share',
      });
    }
  }
}
