import type { SloPoint, StandingSlo } from '../../db/slos.ts';
import { lineChart } from '../../domain/charts/line-chart.ts';
import { formatDay } from '../../domain/reports/period.ts';
import { burnWords, formatRate, type SloState } from '../../domain/slo/evaluate.ts';
import { burnAlerts, objectiveText, type Slo } from '../../domain/slo/slo.ts';
import { type Mark, severityMarks } from '../layout/words.ts';

export const sloBase = '/slos';

export interface SloRow {
  name: string;
  href: string;
  service: string;
  team: string | null;
  objective: string;
  state: Mark;
  budget: string;
  burn: string;
}

export function sloRow({ name, team, definition, state }: StandingSlo): SloRow {
  return {
    name,
    href: `${sloBase}/${encodeURIComponent(name)}`,
    service: definition.service ?? '',
    team,
    objective: objectiveText(definition),
    state: sloMark(state),
    budget: budgetText(state.budgetLeft),
    burn: burnWords(definition, state.burnRate, state.budgetLeft),
  };
}

/** What is worst about it. */
export function sloMark({ alerts, problem, budgetLeft }: SloState): Mark {
  const firing = alerts.filter((alert) => alert.firing);
  if (firing.some(({ severity }) => severity === 'critical' || severity === 'high')) {
    return { word: 'Burning fast', icon: 'alert', tone: 'bad' };
  }
  if (firing.length > 0) return { word: 'Burning', icon: 'warning', tone: 'warning' };
  if (problem !== null) return { word: 'Not measured', icon: 'waiting', tone: 'quiet' };
  if (budgetLeft === null) return { word: 'No data yet', icon: 'waiting', tone: 'quiet' };
  if (budgetLeft <= 0) return { word: 'Budget used up', icon: 'failed', tone: 'bad' };
  return { word: 'Kept', icon: 'done', tone: 'good' };
}

/** '74 % left', 'overdrawn by 12 %' */
export function budgetText(left: number | null): string {
  if (left === null) return 'not known';
  return left < 0 ? `overdrawn by ${percent(-left)}` : `${percent(left)} left`;
}

const percent = (share: number): string =>
  `${share < 0.1 ? Number((share * 100).toPrecision(2)) : Math.round(share * 100)} %`;

export interface StandingView {
  mark: Mark;
  /** Whether anything was ever measured. */
  known: boolean;
  budget: string;
  burn: string;
  problem: { text: string; since: string | null } | null;
  alerts: {
    severity: Mark;
    state: Mark;
    windows: string;
    above: string;
    long: string;
    short: string;
    since: string | null;
  }[];
}

export function standingView(definition: Slo, state: SloState): StandingView {
  return {
    mark: sloMark(state),
    known: state.budgetLeft !== null,
    budget: budgetText(state.budgetLeft),
    burn: burnWords(definition, state.burnRate, state.budgetLeft),
    problem: state.problem === null ? null : { text: state.problem, since: isoOrNull(state.problemSince) },
    alerts: burnAlerts(definition).map((alert) => {
      const { long, short, severity, burnRate } = alert;
      const known = state.alerts.find(
        (other) => other.long === long && other.short === short && other.severity === severity,
      );
      return {
        severity: severityMarks[severity],
        state: known?.firing
          ? { word: 'Firing', icon: 'alert', tone: 'bad' }
          : { word: 'Quiet', icon: 'done', tone: 'quiet' },
        windows: `${long} and ${short}`,
        above: `${formatRate(burnRate)}×`,
        long: rateText(known?.longBurn ?? null),
        short: rateText(known?.shortBurn ?? null),
        since: isoOrNull(known?.since ?? null),
      };
    }),
  };
}

const rateText = (rate: number | null): string => (rate === null ? 'not known' : `${formatRate(rate)}×`);
const isoOrNull = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** The budget's course over the window; null while there is none to draw. */
export function budgetChart(points: readonly SloPoint[], now: number) {
  if (points.length < 2) return null;
  return lineChart({
    id: 'budget',
    title: 'Error budget left',
    description: `From ${percentOf(points.at(0))} to ${percentOf(points.at(-1))} over the window.`,
    points: points.map(({ at, budgetLeft }) => ({ at: at.getTime(), value: Math.max(0, budgetLeft) })),
    line: [],
    thresholds: [],
    top: 1,
    ticks: [0, 0.25, 0.5, 0.75, 1],
    formatValue: (share) => `${Math.round(share * 100)} %`,
    now,
    formatTime: (at) => formatDay(at, 'UTC'),
  });
}

const percentOf = (point: SloPoint | undefined): string => `${Math.round((point?.budgetLeft ?? 0) * 100)} %`;
