import type { IncidentMatch } from '../../domain/policies.ts';
import type { Rehearsal } from '../../domain/rehearsal/request.ts';
import { type Problems, posted } from '../layout/fields.ts';
import { postedSchedule, readSchedule } from '../on-call/schedule-form.ts';
import { postedEscalation, readEscalation, withoutEmptyRows } from '../settings/escalation-form.ts';
import { postedRule, readRule } from '../settings/rule-form.ts';
import { postedSla, readSla } from '../settings/sla-form.ts';

export const editedKinds = ['policy', 'schedule', 'rule', 'sla-policy'] as const;
export type EditedKind = (typeof editedKinds)[number];

export const kindWords: Record<EditedKind, string> = {
  policy: 'Escalation policy',
  schedule: 'On-call schedule',
  rule: 'Rule of notification',
  'sla-policy': 'SLA policy',
};

export type Edited = Pick<Rehearsal, 'policy' | 'schedule' | 'rule' | 'slaPolicy'>;

/** What is not named yet is called so here. */
export const unnamed = 'edited';

/** What stands in a form that was posted as edited, by the same reading as when it is saved. */
export function readEdited(
  kind: EditedKind,
  body: Record<string, unknown>,
): { name: string; edited: Edited } | { problems: Problems } {
  const name = posted(body, 'name') || unnamed;
  const named = { ...body, name };
  switch (kind) {
    case 'policy': {
      const read = readEscalation(withoutEmptyRows(postedEscalation(named)));
      return 'problems' in read ? read : { name, edited: { policy: { name, ...read } } };
    }
    case 'schedule': {
      const read = readSchedule(postedSchedule(named));
      if ('problems' in read) return read;
      const { team: _, ...definition } = read.definition;
      return { name, edited: { schedule: { name, definition } } };
    }
    case 'rule': {
      const read = readRule(postedRule(named));
      return 'problems' in read ? read : { name, edited: { rule: { name, ...read } } };
    }
    case 'sla-policy': {
      const read = readSla(postedSla(named));
      return 'problems' in read ? read : { name, edited: { slaPolicy: { name, ...read } } };
    }
  }
}

/** The incidents that it is for. */
export function matchOfEdited({ policy, rule, slaPolicy }: Edited): IncidentMatch {
  if (rule) {
    const { severities, hours: _, ...when } = rule.definition.when;
    return severities?.[0] ? { ...when, severity: severities[0] } : when;
  }
  return policy?.definition.match ?? slaPolicy?.definition.match ?? {};
}

/** A form's fields on their way through the rehearsal and back, each value of a repeated one by itself. */
export type Carried = [name: string, value: string][];

/** Of the rehearsal's own form, or of what a button pressed. */
const own = /^(_csrf|edit|do|carried|situation\..*|week\..*)$/;

/** The fields as they were first posted: from the form itself, or carried by the rehearsal's own. */
export function carriedFields(body: Record<string, unknown>): Carried {
  if (typeof body.carried === 'string') return parsed(body.carried);
  return Object.entries(body).flatMap(([name, value]): Carried => {
    if (own.test(name)) return [];
    const values = Array.isArray(value) ? value : [value];
    return values.filter((each) => typeof each === 'string').map((each) => [name, each]);
  });
}

/** As a form's parser answers it. */
export function asBody(carried: Carried): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [name, value] of carried) {
    const before = body[name];
    body[name] = before === undefined ? value : [before, value].flat();
  }
  return body;
}

function parsed(text: string): Carried {
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) return [];
    return value.flatMap((pair): Carried => {
      const [name, field] = Array.isArray(pair) ? pair : [];
      return typeof name === 'string' && typeof field === 'string' && !own.test(name) ? [[name, field]] : [];
    });
  } catch {
    return [];
  }
}

/** The form's own address; null for any other, to which nothing is posted. */
export function formAddress(back: unknown): string | null {
  if (typeof back !== 'string' || back.includes('..')) return null;
  return /^\/(settings|on-call)\/[\w./%-]+$/.test(back) ? back : null;
}
