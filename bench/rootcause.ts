import { existsSync } from 'node:fs';
import type { Evidence } from '../domain/root-cause/evidence.ts';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';
import { faults, makeFault } from './faults.ts';
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
const ranks = cases.map(({ cause, ...evidence }) => rankOf(cause, evidence));
printShares(
  'fault',
  cases.map(({ fault }, i) => ({ group: fault, rank: ranks[i] ?? null })),
  faults,
);
printShares(
  'style',
  cases.map(({ style }, i) => ({ group: style, rank: ranks[i] ?? null })),
);

function rankOf(cause: string, evidence: Evidence): number | null {
  const rank = rankCauses(evidence).findIndex(({ service }) => service === cause);
  return rank === -1 ? null : rank;
}

function printShares(
  name: string,
  ranks: { group: string; rank: number | null }[],
  order?: readonly string[],
): void {
  for (const group of [...(order ?? new Set(ranks.map((one) => one.group))), 'all']) {
    const own = ranks.filter((one) => group === 'all' || one.group === group);
    for (const top of [1, 3]) {
      const right = own.filter(({ rank }) => rank !== null && rank < top).length;
      printFigure({
        name: `${name}_${group.replace(' ', '_')}_top${top}`,
        value: right / own.length,
        unit: 'share',
      });
    }
  }
}
