import type { StoredCorrelationRules } from '../../db/correlation-rules.ts';
import {
  defaultCorrelationRules,
  type WrittenCorrelationRules,
  writtenCorrelationRules,
} from '../../domain/correlation/rules.ts';
import type { NoiseFigure } from '../../domain/correlation/simulate.ts';
import { formatDuration } from '../../domain/duration.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';

export const correlationBase = '/settings/correlation';

const names = [
  'window',
  'lookBack',
  'topologyHops',
  'labels',
  'threshold',
  'reopenWindow',
  'changes',
  'within',
  'quiet',
] as const;
export type CorrelationValues = Record<(typeof names)[number], string>;

export function correlationValues(rules: WrittenCorrelationRules): CorrelationValues {
  const text = (value: number | string | undefined) => (value === undefined ? '' : String(value));
  return {
    window: text(rules.window),
    lookBack: text(rules.lookBack),
    topologyHops: text(rules.topologyHops),
    labels: rules.labels === undefined ? '' : labelLines(rules.labels),
    threshold: text(rules.threshold),
    reopenWindow: text(rules.reopenWindow),
    changes: text(rules.flapping?.changes),
    within: text(rules.flapping?.within),
    quiet: text(rules.flapping?.quiet),
  };
}

function labelLines(labels: NonNullable<WrittenCorrelationRules['labels']>): string {
  if (Array.isArray(labels)) return labels.join('\n');
  return Object.entries(labels)
    .map(([label, weight]) => `${label} ${weight}`)
    .join('\n');
}

export function postedCorrelation(body: unknown): CorrelationValues {
  return Object.fromEntries(names.map((name) => [name, posted(body, name)])) as CorrelationValues;
}

/** What is left empty is as by default. */
export function readCorrelation(
  values: CorrelationValues,
): { rules: WrittenCorrelationRules } | { problems: Problems } {
  const problems: Problems = {};
  const labels = readLabels(values.labels);
  if (labels === null) problems.labels = 'Write a label and a weight from 0 to 1 on each line: host 0.6';
  const { changes, within, quiet } = values;
  const flapping = {
    ...(changes === '' ? {} : { changes: Number(changes) }),
    ...(within === '' ? {} : { within }),
    ...(quiet === '' ? {} : { quiet }),
  };
  const parsed = writtenCorrelationRules.safeParse({
    ...(values.window === '' ? {} : { window: values.window }),
    ...(values.lookBack === '' ? {} : { lookBack: values.lookBack }),
    ...(values.topologyHops === '' ? {} : { topologyHops: Number(values.topologyHops) }),
    ...(labels ? { labels } : {}),
    ...(values.threshold === '' ? {} : { threshold: Number(values.threshold) }),
    ...(values.reopenWindow === '' ? {} : { reopenWindow: values.reopenWindow }),
    ...(Object.keys(flapping).length === 0 ? {} : { flapping }),
  });
  for (const issue of parsed.error?.issues ?? []) {
    const [first, second] = issue.path.map(String);
    const name = (first === 'flapping' ? second : first) ?? 'window';
    problems[name] ??= wrong[name] ?? 'Write a time such as 5m, 30m or 1h.';
  }
  return parsed.success && Object.keys(problems).length === 0 ? { rules: parsed.data } : { problems };
}

const ofADay = 'Write a time such as 5m, 30m or 1h, 24h at most.';

const wrong: Problems = {
  window: ofADay,
  lookBack: ofADay,
  topologyHops: 'Write a whole number from 0 to 5.',
  labels: 'Write at most 20 labels, each with a weight from 0 to 1.',
  threshold: 'Write a number from 0.05 to 1.',
  changes: 'Write a whole number from 2 to 1000.',
};

/** One label on a line with its weight; undefined where there is none, null where a line is neither. */
function readLabels(text: string): Record<string, number> | string[] | undefined | null {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) return undefined;
  const parts = lines.map((line) => line.split(/[\s:=]+/));
  if (parts.every(({ length }) => length === 1)) return parts.flat();
  const weights = parts.map(([label = '', weight = '']) => [label, Number(weight || Number.NaN)] as const);
  if (parts.some(({ length }) => length !== 2) || weights.some(([, weight]) => Number.isNaN(weight)))
    return null;
  return Object.fromEntries(weights);
}

export interface CorrelationFormView {
  heading: string;
  action: string;
  tryAction: string;
  deleteAction: string | null;
  time: Field[];
  evidence: Field[];
  labels: Field;
  flapping: Field[];
}

export function correlationFormView(
  values: CorrelationValues,
  problems: Problems,
  { team, stored }: { team: { slug: string; name: string } | null; stored: boolean },
): CorrelationFormView {
  const stated = { values, problems, optional: true };
  const { flapping, labelWeights, ...defaults } = defaultCorrelationRules;
  const usual = (value: string) => `Empty: ${value}`;
  const own = rulesHref(team?.slug ?? null);
  return {
    heading: team ? `Rules of team ${team.name}` : 'Rules of the organization',
    action: own,
    tryAction: `${own}/try`,
    deleteAction: stored ? `${own}/delete` : null,
    time: [
      field('window', 'Window', {
        ...stated,
        hint: `Evidence of this age counts 0.6 of what fresh evidence does. ${usual(formatDuration(defaults.windowMs))}`,
      }),
      field('lookBack', 'Looks back', {
        ...stated,
        hint: `An incident that was quiet for longer is joined only by the same alert. ${usual(formatDuration(defaults.lookBackMs))}`,
      }),
      field('reopenWindow', 'Reopens within', {
        ...stated,
        hint: 'A resolved incident opens again when its alerts come back so soon. Empty: as the installation says',
      }),
    ],
    evidence: [
      field('topologyHops', 'Calls between two services', {
        ...stated,
        type: 'number',
        hint: `2 bridges one silent service; 0 leaves the topology out. ${usual(String(defaults.topologyHops))}`,
      }),
      field('threshold', 'Evidence that is enough', {
        ...stated,
        hint: `0.05 to 1: lower groups more. ${usual(String(defaults.threshold))}`,
      }),
    ],
    labels: field('labels', 'Labels that count', {
      ...stated,
      rows: 7,
      hint: `One on each line with its weight from 0 to 1. ${usual(
        Object.entries(labelWeights)
          .map(([label, weight]) => `${label} ${weight}`)
          .join(', '),
      )}`,
    }),
    flapping: [
      field('changes', 'Changes', {
        ...stated,
        type: 'number',
        hint: `Beginnings and ends of one alert. ${usual(String(flapping.changes))}`,
      }),
      field('within', 'Within', { ...stated, hint: usual(formatDuration(flapping.withinMs)) }),
      field('quiet', 'Until quiet for', { ...stated, hint: usual(formatDuration(flapping.quietMs)) }),
    ],
  };
}

export function rulesHref(team: string | null): string {
  return team === null
    ? `${correlationBase}/organization`
    : `${correlationBase}/teams/${encodeURIComponent(team)}`;
}

/** What stands in the list of rules. */
export interface RulesRow {
  whose: string;
  href: string;
  /** Whether it has rules of its own; without them the organization's or the defaults hold. */
  own: string;
  window: string;
  hops: string;
  threshold: string;
}

export function rulesRow(
  owner: { slug: string; name: string } | null,
  stored: StoredCorrelationRules | undefined,
): RulesRow {
  const { windowMs, topologyHops, threshold } = defaultCorrelationRules;
  const rules = stored?.rules;
  const inherited = owner !== null && !stored;
  return {
    whose: owner ? owner.name : 'The organization',
    href: rulesHref(owner?.slug ?? null),
    own: stored ? 'its own' : owner ? "the organization's" : 'the defaults',
    window: inherited ? '' : (rules?.window ?? formatDuration(windowMs)),
    hops: inherited ? '' : String(rules?.topologyHops ?? topologyHops),
    threshold: inherited ? '' : String(rules?.threshold ?? threshold),
  };
}

/** The figures of a preview, side by side. */
export interface PreviewView {
  sentence: string;
  rows: { what: string; before: string; after: string }[];
}

export function previewView(preview: {
  alerts: number;
  since: Date | null;
  cut: boolean;
  before: NoiseFigure;
  after: NoiseFigure;
}): PreviewView {
  const { alerts, since, cut, before, after } = preview;
  const percent = (figure: NoiseFigure) => `${Math.round(figure.reduction * 100)} %`;
  const count = (value: number) => value.toLocaleString('en');
  return {
    sentence:
      alerts === 0
        ? 'There was no alert in the last 30 days that these rules are for.'
        : `Of ${count(alerts)} ${alerts === 1 ? 'alert' : 'alerts'} since ${since?.toISOString().slice(0, 10)}${cut ? ' (older ones are left out)' : ''} these rules make ${count(after.incidents)} ${after.incidents === 1 ? 'incident' : 'incidents'} instead of ${count(before.incidents)}.`,
    rows:
      alerts === 0
        ? []
        : [
            { what: 'Incidents', before: count(before.incidents), after: count(after.incidents) },
            { what: 'Incidents of one alert', before: count(before.single), after: count(after.single) },
            { what: 'Alerts in the largest', before: count(before.largest), after: count(after.largest) },
            { what: 'Noise taken away', before: percent(before), after: percent(after) },
          ],
  };
}
