import type { NotificationRulePreview } from '../../db/notification-rule-preview.ts';
import {
  type NotificationRule,
  notificationRule,
  notificationTriggers,
} from '../../domain/notification-rules/rule.ts';
import { templateFields } from '../../domain/notification-rules/template.ts';
import { triggerWords } from '../../domain/notification-rules/trigger-words.ts';
import { severities } from '../../domain/severity.ts';
import { field, type Problems, posted, postedAll } from '../layout/fields.ts';
import { ticks, weeklyHours } from '../layout/weekly-hours.ts';
import { severityMarks } from '../layout/words.ts';
import { noTarget, readTarget, type TargetValues, targetValues } from './escalation-form.ts';
import type { TargetChoices } from './escalation-targets.ts';
import { labelsText, matchFields, nameProblem, readLabels } from './matching.ts';

export const rulesPath = '/settings/rules';

/** What the form holds as it was typed. */
export interface RuleValues {
  texts: Record<TextField, string>;
  triggers: string[];
  severities: string[];
  days: string[];
  targets: TargetValues[];
}

const textFields = [
  'name',
  'order',
  'enabled',
  'service',
  'alert',
  'team',
  'labels',
  'from',
  'to',
  'timeZone',
  'template',
] as const;
type TextField = (typeof textFields)[number];

/** @param timeZone of whoever writes it */
export function newRule(timeZone: string): RuleValues {
  return {
    texts: {
      name: '',
      order: '100',
      enabled: 'yes',
      service: '',
      alert: '',
      team: '',
      labels: '',
      from: '',
      to: '',
      timeZone,
      template: '',
    },
    triggers: ['incident.opened'],
    severities: [],
    days: [],
    targets: [noTarget],
  };
}

export function ruleValues(name: string, rule: NotificationRule, timeZone: string): RuleValues {
  const { when } = rule;
  return {
    texts: {
      name,
      order: String(rule.order),
      enabled: rule.enabled ? 'yes' : 'no',
      service: when.service ?? '',
      alert: when.alert ?? '',
      team: when.team ?? '',
      labels: labelsText(when.labels),
      from: when.hours?.from ?? '',
      to: when.hours?.to ?? '',
      timeZone: when.hours?.timeZone ?? timeZone,
      template: rule.template ?? '',
    },
    triggers: rule.triggers,
    severities: when.severities ?? [],
    days: when.hours?.days ?? [],
    targets: rule.targets.map(targetValues),
  };
}

/** Fields of targets are called 'who.0' and 'address.0'. */
export function postedRule(body: unknown): RuleValues {
  const names = typeof body === 'object' && body !== null ? Object.keys(body) : [];
  const count = Math.min(20, names.filter((name) => /^who\.\d{1,2}$/.test(name)).length);
  return {
    texts: Object.fromEntries(textFields.map((name) => [name, posted(body, name)])) as RuleValues['texts'],
    triggers: postedAll(body, 'triggers'),
    severities: postedAll(body, 'severities'),
    days: postedAll(body, 'days'),
    targets: Array.from({ length: count }, (_, place) => ({
      who: posted(body, `who.${place}`),
      address: posted(body, `address.${place}`),
    })),
  };
}

/** The form after a button that adds or removes a row: 'add-target', 'remove-target.1'. */
export function editRule(values: RuleValues, edit: string): RuleValues {
  const [what, place] = edit.split('.');
  if (what === 'add-target') return { ...values, targets: [...values.targets, noTarget].slice(0, 20) };
  return { ...values, targets: values.targets.filter((_, index) => index !== Number(place)) };
}

/** The rule, or what is wrong by field. Rows of targets that were left empty are left out. */
export function readRule(values: RuleValues): { definition: NotificationRule } | { problems: Problems } {
  const { texts } = values;
  const problems: Problems = {};
  const wrong = nameProblem(texts.name);
  if (wrong) problems.name = wrong;
  const labels = readLabels(texts.labels);
  if ('problem' in labels) problems.labels = labels.problem;
  if (!/^\d{1,5}$/.test(texts.order || '100')) problems.order = 'Write a number; the lowest is asked first.';
  const filled = values.targets.filter(({ who, address }) => who !== '' || address !== '');
  if (filled.length === 0) problems['who.0'] = 'Choose who is told.';
  const targets = filled.map((target, place) => readTarget(target, String(place), problems));
  if (Object.keys(problems).length > 0) return { problems };
  const parsed = notificationRule.safeParse({
    enabled: texts.enabled !== 'no',
    triggers: values.triggers,
    when: {
      ...(values.severities.length > 0 ? { severities: values.severities } : {}),
      ...(texts.service ? { service: texts.service } : {}),
      ...(texts.alert ? { alert: texts.alert } : {}),
      ...(texts.team ? { team: texts.team } : {}),
      ...('labels' in labels && Object.keys(labels.labels).length > 0 ? { labels: labels.labels } : {}),
      ...(hasHours(values)
        ? { hours: { timeZone: texts.timeZone, days: values.days, from: texts.from, to: texts.to } }
        : {}),
    },
    targets,
    ...(texts.template ? { template: texts.template } : {}),
    order: Number(texts.order || 100),
  });
  if (parsed.success) return { definition: parsed.data };
  for (const issue of parsed.error.issues) {
    problems[fieldOfPath(issue.path.map(String))] ??= issue.message;
  }
  return { problems };
}

/** 'when.hours.days' is wrong in the field 'days', 'targets.1.name' in 'who.1'. */
export function fieldOfPath(path: string[]): string {
  const [first = 'name', second = '', third] = path;
  if (first === 'targets') return `who.${second || '0'}`;
  if (first === 'triggers') return 'triggers';
  if (first !== 'when') return first;
  return second === 'hours' ? (third ?? 'days') : second;
}

function hasHours({ texts, days }: RuleValues): boolean {
  return days.length > 0 || texts.from !== '' || texts.to !== '';
}

export function ruleFormView(
  values: RuleValues,
  problems: Problems,
  { existing, choices }: { existing: boolean; choices: TargetChoices },
) {
  const { texts } = values;
  const given = { values: texts, problems };
  const own = `${rulesPath}/${encodeURIComponent(texts.name)}`;
  const action = existing ? own : `${rulesPath}/new`;
  // severities are ticked here: a rule may take several
  const match = matchFields(given, choices.teams).filter(({ name }) => name !== 'severity');
  return {
    heading: existing ? texts.name : 'New rule',
    action,
    tryAction: `${action}/try`,
    deleteAction: existing ? `${own}/delete` : null,
    hasProblems: Object.keys(problems).length > 0,
    name: field('name', 'Name', { ...given, readonly: existing, hint: 'Letters, digits, - and _' }),
    order: field('order', 'Order', {
      ...given,
      type: 'number',
      hint: 'Of two that tell the same target, the lowest does',
    }),
    enabled: field('enabled', 'State', {
      ...given,
      choices: [
        { value: 'yes', label: 'On' },
        { value: 'no', label: 'Off' },
      ],
    }),
    triggers: ticks('triggers', notificationTriggers, values.triggers, (trigger) => triggerWords[trigger]),
    triggersProblem: problems.triggers ?? null,
    severities: ticks(
      'severities',
      severities,
      values.severities,
      (severity) => severityMarks[severity].word,
    ),
    match,
    ...weeklyHours(values.days, given),
    targets: (values.targets.length > 0 ? values.targets : [noTarget]).map((target, place) => ({
      place,
      label: `Target ${place + 1}`,
      groups: choices.groupsFor(target.who),
      who: { id: `field-who-${place}`, name: `who.${place}`, problem: problems[`who.${place}`] ?? null },
      address: field(`address.${place}`, `Address of target ${place + 1}`, {
        values: { [`address.${place}`]: target.address },
        problems,
        type: 'email',
      }),
    })),
    template: field('template', 'Text above the message', { ...given, optional: true, rows: 3 }),
    templateFields: templateFields.map((name) => `{{${name}}}`),
  };
}

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;

function heldBackText(heldBack: number): string {
  if (heldBack === 0) return '';
  return ` Another ${plural(heldBack, 'event')} that it matches ${heldBack === 1 ? 'was' : 'were'} held back by silences.`;
}

export function previewView(found: NotificationRulePreview) {
  const { events, matched, heldBack, messages, targets } = found;
  const looked = found.cut ? 'of the latest 5,000 of each kind' : 'of the last 30 days';
  return {
    sentence:
      events === 0
        ? 'Nothing that it waits for happened in the last 30 days.'
        : `It would have matched ${matched} of ${plural(events, 'event')} ${looked} and sent ${plural(messages, 'message')}.${heldBackText(heldBack)}`,
    targets: targets.map(({ target, messages: sent }) => ({ target, messages: sent })),
    newest: found.newest.map(({ trigger, at, title, incidentNumber, reasons, note }) => ({
      what: triggerWords[trigger],
      at: new Date(at).toISOString(),
      title,
      number: incidentNumber,
      reasons: reasons.slice(1).join('; ') || 'without a condition',
      note,
    })),
    shown: found.newest.length < matched ? `the latest ${found.newest.length} of ${matched}` : null,
    misses: found.misses.map(({ reason, events: count }) => ({ reason, count })),
  };
}
