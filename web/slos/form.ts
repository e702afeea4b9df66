import type { SloSettings } from '../../db/slos.ts';
import { severities } from '../../domain/severity.ts';
import { burnAlerts, type Slo } from '../../domain/slo/slo.ts';
import { writtenSlo } from '../../domain/slo/written-slo.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { nameProblem } from '../settings/matching.ts';
import { sloBase } from './view.ts';

export type SloValues = Record<
  | 'name'
  | 'description'
  | 'service'
  | 'team'
  | 'objectivePercent'
  | 'windowDays'
  | 'type'
  | 'good'
  | 'total'
  | 'errorRatio'
  | 'alerts',
  string
>;

export const newSloValues: SloValues = {
  name: '',
  description: '',
  service: '',
  team: '',
  objectivePercent: '99.9',
  windowDays: '30',
  type: 'ratio',
  good: '',
  total: '',
  errorRatio: '',
  alerts: '',
};

export function sloValues(name: string, definition: SloSettings): SloValues {
  const {
    description = '',
    service = '',
    team,
    objectivePercent,
    windowDays,
    indicator,
    alerts,
  } = definition;
  return {
    ...newSloValues,
    ...indicator,
    name,
    description,
    service,
    team: team ?? '',
    objectivePercent: String(objectivePercent),
    windowDays: String(windowDays),
    alerts: alerts ? alertLines(alerts) : '',
  };
}

export function postedSlo(body: unknown): SloValues {
  const names = Object.keys(newSloValues);
  return { ...newSloValues, ...Object.fromEntries(names.map((name) => [name, posted(body, name)])) };
}

export function readSlo(values: SloValues): { definition: SloSettings } | { problems: Problems } {
  const alerts = readAlerts(values.alerts);
  const problems: Problems = 'problem' in alerts ? { alerts: alerts.problem } : {};
  const { description, service, good, total, errorRatio } = values;
  const parsed = writtenSlo.safeParse({
    ...(description ? { description } : {}),
    ...(service ? { service } : {}),
    objectivePercent: Number(values.objectivePercent || Number.NaN),
    windowDays: Number(values.windowDays || Number.NaN),
    indicator:
      values.type === 'error_ratio' ? { type: 'error_ratio', errorRatio } : { type: 'ratio', good, total },
    ...('alerts' in alerts && alerts.alerts.length > 0 ? { alerts: alerts.alerts } : {}),
  });
  for (const { path, message } of parsed.error?.issues ?? []) {
    const [first, second] = path.map(String);
    problems[(first === 'indicator' ? second : first) ?? 'name'] ??= message;
  }
  return parsed.success && Object.keys(problems).length === 0
    ? { definition: { ...parsed.data, team: values.team || null } }
    : { problems };
}

/** Checked apart: an SLO as edited can be tried before it has a name. */
export function sloNameProblem({ name }: SloValues): Problems {
  const wrong = nameProblem(name);
  return wrong ? { name: wrong } : {};
}

/** A line each: 'critical 14.4 1h 5m'. */
function readAlerts(text: string): { alerts: object[] } | { problem: string } {
  const alerts: object[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const [word = '', rate = '', long, short, ...rest] = line.split(/\s+/);
    const severity = severities.find((known) => known === word.toLowerCase());
    const burnRate = Number(rate.replace(/[x×]$/, ''));
    if (!severity || !(burnRate > 0) || !long || !short || rest.length > 0) {
      return {
        problem: `“${line}” is no alert: write severity, burn rate, long and short window, such as critical 14.4 1h 5m.`,
      };
    }
    alerts.push({ severity, burnRate, long, short });
  }
  return { alerts };
}

const alertLines = (alerts: NonNullable<Slo['alerts']>): string =>
  alerts.map(({ severity, burnRate, long, short }) => `${severity} ${burnRate} ${long} ${short}`).join('\n');

export interface SloFormView {
  heading: string;
  action: string;
  tryAction: string;
  deleteAction: string | null;
  back: string;
  own: Field[];
  /** Null where there are no teams. */
  team: Field | null;
  promise: Field[];
  type: Field;
  queries: Field[];
  alerts: Field;
}

export function sloFormView(
  values: SloValues,
  problems: Problems,
  { existing, teams }: { existing: boolean; teams: readonly { slug: string; name: string }[] },
): SloFormView {
  const given = { values, problems };
  const own = `${sloBase}/${encodeURIComponent(values.name)}`;
  const windowDays = Number(values.windowDays);
  const standard = alertLines(
    burnAlerts({ windowDays: windowDays >= 1 && windowDays <= 90 ? windowDays : 30 }),
  );
  return {
    heading: existing ? values.name : 'New SLO',
    action: existing ? `${own}/edit` : `${sloBase}/new`,
    tryAction: existing ? `${own}/try` : `${sloBase}/new/try`,
    deleteAction: existing ? `${own}/delete` : null,
    back: existing ? own : sloBase,
    own: [
      field('name', 'Name', { ...given, readonly: existing, hint: 'Letters, digits, - and _' }),
      field('service', 'Service', { ...given, optional: true, hint: 'What its alerts name' }),
      field('description', 'What it promises', { ...given, optional: true }),
    ],
    team:
      teams.length === 0
        ? null
        : field('team', 'Belongs to', {
            ...given,
            choices: [
              { value: '', label: 'The whole organization' },
              ...teams.map(({ slug, name }) => ({ value: slug, label: name })),
            ],
          }),
    promise: [
      field('objectivePercent', 'Objective (%)', { ...given, hint: 'Such as 99.9' }),
      field('windowDays', 'Window (days)', { ...given, type: 'number', hint: '1 to 90, rolling' }),
    ],
    type: field('type', 'Measured by', {
      ...given,
      choices: [
        { value: 'ratio', label: 'Good and total' },
        { value: 'error_ratio', label: 'Error ratio' },
      ],
    }),
    queries: [
      field('good', 'Good', {
        ...given,
        rows: 2,
        hint: 'Such as sum(rate(http_requests_total{code!~"5.."}[$window]))',
      }),
      field('total', 'Total', { ...given, rows: 2, hint: 'Such as sum(rate(http_requests_total[$window]))' }),
      field('errorRatio', 'Error ratio', {
        ...given,
        rows: 2,
        hint: 'Instead of good and total: the share that fails over [$window]',
      }),
    ],
    alerts: field('alerts', 'Alerts', {
      ...given,
      optional: true,
      rows: 4,
      hint: `Severity, burn rate, long and short window, one per line. Empty: ${standard.replaceAll('\n', '; ')}`,
    }),
  };
}
