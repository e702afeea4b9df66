import { parseArgs } from 'node:util';
import { groupAlerts } from '../domain/correlation/group-alerts.ts';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';
import { note, printFigure } from './figure.ts';
import { type MadeAlert, type MadeOutages, makeOutages, type OutageSettings } from './outages.ts';
import { Random } from './random.ts';
import { graphShapes } from './service-graphs.ts';

/*
 * `npm run bench:correlation`: how well generated outages are told apart, in the mean over the cases of each regime.
 * F1 is pairwise: two alerts in one group are right when they belong to one outage; noise belongs to nothing.
 */

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '20260131' }, cases: { type: 'string', default: '60' } },
});
const seed = Number(values.seed);
const cases = Number(values.cases);

/** Everything varies; a regime holds one thing fast. */
function anySettings(random: Random): OutageSettings {
  return {
    services: random.whole(10, 200),
    shape: random.pick(graphShapes),
    calls: random.between(1.1, 3),
    cycles: random.pick([0, 0, 0.05]),
    unknownCalls: random.pick([0, 0, 0.1]),
    outages: random.whole(1, 3),
    overlap: random.pick(['apart', 'touching']),
    alertsForEach: random.chance(0.3),
    spread: random.between(0, 600),
    spreads: random.between(0.7, 1),
    depth: random.whole(1, 6),
    delay: random.between(0, 120),
    loss: random.between(0, 0.3),
    noise: random.between(0, 0.3),
    repeats: random.between(0, 0.3),
    unnamed: random.pick([0, 0, 0.1]),
    starved: random.pick([0, 0, 0.3]),
    hosts: random.pick([0, 5, 40]),
  };
}

const regimes: Record<string, Partial<OutageSettings>> = {
  everything: {},
  'one outage': { outages: 1 },
  'two outages': { outages: 2 },
  'three outages': { outages: 3 },
  'outages apart': { outages: 2, overlap: 'apart' },
  'outages touching': { outages: 3, overlap: 'touching' },
  'outages anywhere': { outages: 3, overlap: 'any' },
  'all at once': { outages: 3, spread: 0 },
  '10 services': { services: 10 },
  '30 services': { services: 30 },
  '200 services': { services: 200 },
  layers: { shape: 'layers' },
  random: { shape: 'random' },
  hubs: { shape: 'hubs' },
  tree: { shape: 'tree' },
  cycles: { cycles: 0.1 },
  'many calls': { calls: 4 },
  'far spread': { depth: 8, spreads: 1 },
  'direct callers only': { depth: 1 },
  'half of the callers': { spreads: 0.5 },
  'no delay': { delay: 0 },
  'delays to 120 s': { delay: 120 },
  'nothing lost': { loss: 0 },
  '30 % lost': { loss: 0.3 },
  'no noise': { noise: 0 },
  '30 % noise': { noise: 0.3 },
  '20 % of calls unknown': { unknownCalls: 0.2 },
  '20 % without a service': { unnamed: 0.2, hosts: 40 },
  'starved callees': { starved: 1 },
  'five shared hosts': { hosts: 5 },
  clean: { loss: 0, noise: 0, unnamed: 0, unknownCalls: 0, starved: 0, overlap: 'apart' },
};

interface Score {
  precision: number;
  recall: number;
  f1: number;
  /** Of the outages of which an alert arrived. */
  causesFirst: number;
  outages: number;
}

const all: Score[] = [];
console.log(`seed ${seed}, ${cases} cases a regime`);
for (const [index, [name, fixed]] of Object.entries(regimes).entries()) {
  const scores = Array.from({ length: cases }, (_, number) => {
    const caseSeed = seed + index * 10_000 + number;
    return scoreOf(makeOutages({ ...anySettings(new Random(caseSeed)), ...fixed }, caseSeed));
  });
  all.push(...scores);
  const worst = Math.min(...scores.map(({ f1 }) => f1));
  note(
    `${name.padEnd(24)} F1 ${mean(scores, 'f1').toFixed(3)} (precision ${mean(scores, 'precision').toFixed(3)}, ` +
      `recall ${mean(scores, 'recall').toFixed(3)}, worst ${worst.toFixed(2)}), cause first ${causesFirst(scores).toFixed(3)}`,
  );
}
printFigure({ name: 'correlation_pairwise_f1', value: mean(all, 'f1'), unit: 'share' });
printFigure({ name: 'correlation_cause_first', value: causesFirst(all), unit: 'share' });

function mean(scores: Score[], figure: 'f1' | 'precision' | 'recall'): number {
  return scores.reduce((sum, score) => sum + score[figure], 0) / scores.length;
}

function causesFirst(scores: Score[]): number {
  const outages = scores.reduce((sum, score) => sum + score.outages, 0);
  return scores.reduce((sum, score) => sum + score.causesFirst, 0) / Math.max(1, outages);
}

function scoreOf(made: MadeOutages): Score {
  const { groups } = groupAlerts(made.alerts, made.dependencies);
  const { predicted, actual, both } = countPairs(made.alerts, groups);
  const precision = predicted === 0 ? 1 : both / predicted;
  const recall = actual === 0 ? 1 : both / actual;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  const seen = made.causes.map((cause, outage) => ({ cause, group: groupOf(made.alerts, groups, outage) }));
  const arrived = seen.filter(({ group }) => group !== undefined);
  const first = arrived.filter(({ cause, group }) => firstCause(made, group ?? []) === cause);
  return { precision, recall, f1, causesFirst: first.length, outages: arrived.length };
}

function countPairs(
  alerts: MadeAlert[],
  groups: number[][],
): { predicted: number; actual: number; both: number } {
  const pairs = (count: number) => (count * (count - 1)) / 2;
  const outageSizes = (indices: number[]) => {
    const sizes = new Map<number, number>();
    for (const index of indices) {
      const outage = alerts[index]?.outage ?? 0;
      sizes.set(outage, (sizes.get(outage) ?? 0) + 1);
    }
    return [...sizes.values()];
  };
  const sum = (counts: number[]) => counts.reduce((total, count) => total + pairs(count), 0);
  return {
    predicted: sum(groups.map(({ length }) => length)),
    actual: sum(outageSizes(alerts.map((_, index) => index))),
    both: sum(groups.flatMap(outageSizes)),
  };
}

/** The group that holds most of the outage's alerts. */
function groupOf(alerts: MadeAlert[], groups: number[][], outage: number): number[] | undefined {
  const held = (group: number[]) => group.filter((index) => alerts[index]?.outage === outage).length;
  const most = groups.toSorted((a, b) => held(b) - held(a))[0];
  return most && held(most) > 0 ? most : undefined;
}

function firstCause(made: MadeOutages, group: number[]): string | undefined {
  const alerts = group.flatMap((index) => {
    const alert = made.alerts[index];
    return alert ? [{ ...alert, startsAt: alert.at }] : [];
  });
  return rankCauses({ alerts, dependencies: made.dependencies })[0]?.service;
}
