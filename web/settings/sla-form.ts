import { parseDuration } from '../../domain/duration.ts';
import { type SlaPolicy, slaPolicy } from '../../domain/policies.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { matchFields, matchOf, nameProblem } from './matching.ts';

export interface SlaValues extends Record<string, string> {
  name: string;
  order: string;
  severity: string;
  service: string;
  alert: string;
  acknowledgeWithin: string;
  resolveWithin: string;
}

export function slaValues(name: string, policy: SlaPolicy): SlaValues {
  return {
    name,
    order: String(policy.order),
    severity: policy.match.severity ?? '',
    service: policy.match.service ?? '',
    alert: policy.match.alert ?? '',
    acknowledgeWithin: policy.acknowledgeWithin,
    resolveWithin: policy.resolveWithin,
  };
}

export function postedSla(body: unknown): SlaValues {
  return {
    name: posted(body, 'name'),
    order: posted(body, 'order'),
    severity: posted(body, 'severity'),
    service: posted(body, 'service'),
    alert: posted(body, 'alert'),
    acknowledgeWithin: posted(body, 'acknowledgeWithin'),
    resolveWithin: posted(body, 'resolveWithin'),
  };
}

export function readSla(values: SlaValues): { definition: SlaPolicy } | { problems: Problems } {
  const problems: Problems = {};
  const wrong = nameProblem(values.name);
  if (wrong) problems.name = wrong;
  const order = values.order === '' ? 100 : Number(values.order);
  if (!Number.isInteger(order) || order < 0 || order > 10_000) {
    problems.order = 'Write a number from 0 to 10000; the lowest is tried first.';
  }
  for (const name of ['acknowledgeWithin', 'resolveWithin'] as const) {
    if (parseDuration(values[name]) === undefined) problems[name] = 'Write a time such as 5m, 30m or 4h.';
  }
  if (Object.keys(problems).length > 0) return { problems };
  const parsed = slaPolicy.safeParse({
    order,
    match: matchOf(values) ?? {},
    acknowledgeWithin: values.acknowledgeWithin,
    resolveWithin: values.resolveWithin,
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
}

export function slaFormView(values: SlaValues, problems: Problems, existing: boolean): SlaFormView {
  const given = { values, problems };
  const base = '/settings/sla-policies';
  const own = `${base}/${encodeURIComponent(values.name)}`;
  return {
    heading: existing ? values.name : 'New SLA policy',
    action: existing ? own : `${base}/new`,
    deleteAction: existing ? `${own}/delete` : null,
    name: field('name', 'Name', { ...given, readonly: existing, hint: 'Letters, digits, - and _' }),
    order: field('order', 'Order', { ...given, type: 'number', hint: 'The lowest that matches wins' }),
    match: matchFields(given),
    acknowledgeWithin: field('acknowledgeWithin', 'Acknowledge within', { ...given, hint: 'Such as 5m' }),
    resolveWithin: field('resolveWithin', 'Resolve within', { ...given, hint: 'Such as 4h' }),
  };
}
