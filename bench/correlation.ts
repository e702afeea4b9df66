import { parseArgs } from 'node:util';
import { groupAlerts, placeInTurn } from '../domain/correlation/group-alerts.ts';
import { defaultCorrelationRules } from '../domain/correlation/rules.ts';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';
import { serviceGraph } from '../domain/topology/graph.ts';
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

/** All that the promise names varies; a regime holds one thing fast. */
function anySettings(random: Random): OutageSettings {
  return {
    services: random.whole(10, 200),
    shape: random.pick(graphShapes),
    calls: random.between(1.1, 3),
    cycles: random.pick([0, 0, 0.05]),
    unknownCalls: 0,
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
    unnamed: 0,
    starved: 0,
    hosts: random.pick([0, 5, 40]),
  };
}

const regimes: Record<string, Partial<OutageSettings>> = {
  everything: {},
  'one outage': { outages: 1 },
  'two outages': { outages: 2 },
  'three outages': { outages: 3 },
  'three apart': { outages: 3, overlap: 'apart' },
  'three with common callers': { outages: 3, overlap: 'touching' },
  'three at the same moment': { outages: 3, spread: 0 },
  '10 services': { services: 10 },
  '30 services': { services: 30 },
  '200 services': { services: 200 },
  'in layers': { shape: 'layers' },
  'at random': { shape: 'random' },
  'with hubs': { shape: 'hubs' },
  'as a tree': { shape: 'tree' },
  'with cycles': { cycles: 0.1 },
  'many calls': { calls: 4 },
  'long chains': { depth: 8, spreads: 1 },
  'direct callers only': { depth: 1 },
  'half of the callers': { spreads: 0.5 },
  'no delay': { delay: 0 },
  'delays to 120 s': { delay: 120 },
  'nothing lost': { loss: 0 },
  '30 % lost': { loss: 0.3 },
  'no noise': { noise: 0 },
  '15 % noise': { noise: 0.15 },
  '30 % noise': { noise: 0.3 },
  'five shared hosts': { hosts: 5 },
};

/** Beyond what is promised, one thing each. */
const beyond: Record<string, Partial<OutageSettings>> = {
  'one inside another': { outages: 3, overlap: 'any' },
  '20 % of calls unknown': { unknownCalls: 0.2 },
  '20 % without a service': { unnamed: 0.2, hosts: 40 },
  'starved callees': { starved: 1 },
};

interface Score {
  precision: number;
  recall: number;
  f1: number;
  /** Without hindsight: as the live correlation decides. */
  f1AsTheyCome: number;
  /** Of the outages of which an alert arrived. */
  causesFirst: number;
  outages: number;
}

console.log(`seed ${seed}, ${cases} cases a regime`);
const promised = Object.entries(regimes).flatMap(([name, fixed], index) => scoresOf(name, fixed, index));
printFigure({ name: 'correlation_pairwise_f1', value: mean(promised, 'f1'), unit: 'share' });
printFigure({
  name: 'correlation_pairwise_f1_as_they_come',
  value: mean(promised, 'f1AsTheyCome'),
  unit: 'share',
});
printFigure({ name: 'correlation_cause_first', value: causesFirst(promised), unit: 'share' });
note('beyond what is promised:');
for (const [index, [name, fixed]] of Object.entries(beyond).entries()) scoresOf(name, fixed, 1000 + index);

function scoresOf(name: string, fixed: Partial<OutageSettings>, regime: number): Score[] {
  const scores = Array.from({ length: cases }, (_, number) => {
    const caseSeed = seed + regime * 10_000 + number;
    return scoreOf(makeOutages({ ...anySettings(new Random(caseSeed)), ...fixed }, caseSeed));
  });
  note(
    `${name.padEnd(26)} F1 ${mean(scores, 'f1').toFixed(3)} (precision ${mean(scores, 'precision').toFixed(3)}, ` +
      `recall ${mean(scores, 'recall').toFixed(3)}), as they come ${mean(scores, 'f1AsTheyCome').toFixed(3)}, ` +
      `cause first ${causesFirst(scores).toFixed(3)}`,
  );
  return scores;
}

function mean(scores: Score[], figure: 'f1' | 'precision' | 'recall' | 'f1AsTheyCome'): number {
  return scores.reduce((sum, score) => sum + score[figure], 0) / scores.length;
}

function causesFirst(scores: Score[]): number {
  const outages = scores.reduce((sum, score) => sum + score.outages, 0);
  return scores.reduce((sum, score) => sum + score.causesFirst, 0) / Math.max(1, outages);
}

function scoreOf(made: MadeOutages): Score {
  const { groups } = groupAlerts(made.alerts, made.dependencies);
  const hindsight = pairwise(made.alerts, groups);
  const f1AsTheyCome = pairwise(made.alerts, groupsAsTheyCome(made)).f1;
  const seen = made.causes.map((cause, outage) => ({ cause, group: groupOf(made.alerts, groups, outage) }));
  const arrived = seen.filter(({ group }) => group !== undefined);
  const first = arrived.filter(({ cause, group }) => firstCause(made, group ?? []) === cause);
  return { ...hindsight, f1AsTheyCome, causesFirst: first.length, outages: arrived.length };
}

function groupsAsTheyCome({ alerts, dependencies }: MadeOutages): number[][] {
  const steps = placeInTurn(alerts, serviceGraph(dependencies), defaultCorrelationRules);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value.groups;
  }
}

function pairwise(
  alerts: MadeAlert[],
  groups: number[][],
): { precision: number; recall: number; f1: number } {
  const { predicted, actual, both } = countPairs(alerts, groups);
  const precision = predicted === 0 ? 1 : both / predicted;
  const recall = actual === 0 ? 1 : both / actual;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1 };
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
