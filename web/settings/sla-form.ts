import { parseDuration } from '../../domain/duration.ts';
import { type SlaPolicy, slaPolicy } from '../../domain/policies.ts';
import { alwaysOpen } from '../../domain/sla/calendar.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { labelsText, matchFields, matchOf, nameProblem, readLabels } from './matching.ts';

export interface SlaValues extends Record<string, string> {
  name: string;
  order: string;
  severity: string;
  service: string;
  alert: string;
  team: string;
  labels: string;
  acknowledgeWithin: string;
  resolveWithin: string;
  calendar: string;
  atRiskPercent: string;
}

export function slaValues(name: string, policy: SlaPolicy): SlaValues {
  return {
    name,
    order: String(policy.order),
    severity: policy.match.severity ?? '',
    service: policy.match.service ?? '',
    alert: policy.match.alert ?? '',
    team: policy.match.team ?? '',
    labels: labelsText(policy.match.labels),
    acknowledgeWithin: policy.acknowledgeWithin,
    resolveWithin: policy.resolveWithin,
    calendar: policy.calendar,
    atRiskPercent: String(policy.atRiskPercent),
  };
}

export const newSlaValues: SlaValues = {
  name: '',
  order: '100',
  severity: '',
  service: '',
  alert: '',
  team: '',
  labels: '',
  acknowledgeWithin: '',
  resolveWithin: '',
  calendar: alwaysOpen,
  atRiskPercent: '80',
};

export function postedSla(body: unknown): SlaValues {
  const names = Object.keys(newSlaValues);
  return { ...newSlaValues, ...Object.fromEntries(names.map((name) => [name, posted(body, name)])) };
}

export function readSla(values: SlaValues): { definition: SlaPolicy } | { problems: Problems } {
  const problems: Problems = {};
  const wrong = nameProblem(values.name);
  if (wrong) problems.name = wrong;
  const order = values.order === '' ? 100 : Number(values.order);
  if (!Number.isInteger(order) || order < 0 || order > 10_000) {
    problems.order = 'Write a number from 0 to 10000; the lowest is tried first.';
  }
  const atRiskPercent = values.atRiskPercent === '' ? 80 : Number(values.atRiskPercent);
  if (!Number.isInteger(atRiskPercent) || atRiskPercent < 10 || atRiskPercent > 99) {
    problems.atRiskPercent = 'Write a number from 10 to 99: the percentage of the time that is over.';
  }
  const labels = readLabels(values.labels);
  if ('problem' in labels) problems.labels = labels.problem;
  for (const name of ['acknowledgeWithin', 'resolveWithin'] as const) {
    if (parseDuration(values[name]) === undefined) problems[name] = 'Write a time such as 5m, 30m or 4h.';
  }
  if (Object.keys(problems).length > 0) return { problems };
  const parsed = slaPolicy.safeParse({
    order,
    match: matchOf(values) ?? {},
    acknowledgeWithin: values.acknowledgeWithin,
    resolveWithin: values.resolveWithin,
    calendar: values.calendar || alwaysOpen,
    atRiskPercent,
  });
  if (parsed.success) return { definition: parsed.data };
  for (const issue of parsed.error.issues) {
    const [first, second] = issue.path.map(String);
    problems[(first === 'match' ? second : first) ?? 'name'] ??= issue.message;
  }
  return { problems };
}

export interface SlaFormView {
  heading: string;
  action: string;
  deleteAction: string | null;
  name: Field;
  order: Field;
  match: Field[];
  acknowledgeWithin: Field;
  resolveWithin: Field;
  calendar: Field;
  atRiskPercent: Field;
}

/** What a policy can choose among. */
export interface SlaChoices {
  teams: { slug: string; name: string }[];
  /** Names of calendars, besides the one that is always open. */
  calendars: string[];
}

export function slaFormView(
  values: SlaValues,
  problems: Problems,
  { existing, teams, calendars }: SlaChoices & { existing: boolean },
): SlaFormView {
  const given = { values, problems };
  const base = '/settings/sla-policies';
  const own = `${base}/${encodeURIComponent(values.name)}`;
  return {
    heading: existing ? values.name : 'New SLA policy',
    action: existing ? own : `${base}/new`,
    deleteAction: existing ? `${own}/delete` : null,
    name: field('name', 'Name', { ...given, readonly: existing, hint: 'Letters, digits, - and _' }),
    order: field('order', 'Order', { ...given, type: 'number', hint: 'The lowest that matches wins' }),
    match: matchFields(given, teams),
    acknowledgeWithin: field('acknowledgeWithin', 'Acknowledge within', { ...given, hint: 'Such as 5m' }),
    resolveWithin: field('resolveWithin', 'Resolve within', { ...given, hint: 'Such as 4h' }),
    calendar: field('calendar', 'The clocks run', {
      ...given,
      choices: [
        { value: alwaysOpen, label: 'Always (24×7)' },
        ...calendars.map((name) => ({ value: name, label: name })),
      ],
      hint: 'Outside a calendar’s hours they pause',
    }),
    atRiskPercent: field('atRiskPercent', 'At risk at (%)', {
      ...given,
      type: 'number',
      hint: 'When so much of the time is over',
    }),
  };
}
