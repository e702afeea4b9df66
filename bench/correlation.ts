import { parseArgs } from 'node:util';
import { groupAlerts, placeInTurn } from '../domain/correlation/group-alerts.ts';
import { defaultCorrelationRules } from '../domain/correlation/rules.ts';
import { rankCauses } from '../domain/root-cause/rank-causes.ts';
import { serviceGraph } from '../domain/topology/graph.ts';
import { note, printFigure } from './figure.ts';
import { anySettings, beyond, regimes } from './outage-regimes.ts';
import { type MadeAlert, type MadeOutages, makeOutages, type OutageSettings } from './outages.ts';
import { type PairwiseScore, pairwise } from './pairwise.ts';
import { Random } from './random.ts';

/*
 * `npm run bench:correlation`: how well generated outages are told apart, in the mean over the cases of each regime.
 * F1 is pairwise: two alerts in one group are right when they belong to one outage; noise belongs to nothing.
 */

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '20260131' }, cases: { type: 'string', default: '60' } },
});
const seed = Number(values.seed);
const cases = Number(values.cases);

interface Score extends PairwiseScore {
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
