import { methodKey } from '../../domain/contact-method.ts';
import { type ContactMethod, type ContactRules, contactRules } from '../../domain/contact-rules.ts';
import { parseDuration } from '../../domain/duration.ts';
import type { NotificationChannel } from '../../domain/notification-channel.ts';
import { type Severity, severities } from '../../domain/severity.ts';
import { timeZone } from '../../domain/time-zone.ts';
import { type Field, field, type Problems, posted, postedAll } from '../layout/fields.ts';
import { severityMarks } from '../layout/words.ts';

/** What the form holds as it was typed; a method as `methodKey` names it, 'email-to' with its address beside it. */
export interface ContactValues {
  timeZone: string;
  rules: { severities: string[]; steps: StepValues[] }[];
}

interface StepValues {
  after: string;
  method: string;
  address: string;
}

type Channels = readonly { name: string; definition: NotificationChannel }[];

const otherAddress = 'email-to';
const ownAddress = methodKey({ type: 'email' });
const newStep: StepValues = { after: '0s', method: ownAddress, address: '' };
const mostRules = 10;

export function contactValues(rules: ContactRules, zone: string | null): ContactValues {
  return {
    timeZone: zone ?? '',
    rules: rules.map((rule) => ({
      severities: [...(rule.severities ?? [])],
      steps: rule.steps.map(({ after, method }) => ({
        after,
        method: method.type === 'email' && method.address !== undefined ? otherAddress : methodKey(method),
        address: method.type === 'email' ? (method.address ?? '') : '',
      })),
    })),
  };
}

export function postedContact(body: unknown): ContactValues {
  const count = Math.min(mostRules, Number(posted(body, 'rules')) || 0);
  return {
    timeZone: posted(body, 'timeZone'),
    rules: Array.from({ length: count }, (_, rule) => {
      const methods = postedAll(body, `method.${rule}`);
      const addresses = postedAll(body, `address.${rule}`);
      return {
        severities: postedAll(body, `severities.${rule}`),
        steps: postedAll(body, `after.${rule}`).map((after, step) => ({
          after,
          method: methods[step] ?? ownAddress,
          address: addresses[step] ?? '',
        })),
      };
    }),
  };
}

/** The values after a button for rows was pressed: 'add-rule', 'remove-rule.1', 'add-step.0', 'remove-step.0.2'; null for any other. */
export function withRows(values: ContactValues, pressed: string): ContactValues | null {
  const [act, rule = '', step = ''] = pressed.split('.');
  const at = Number(rule);
  const edit = (change: (steps: StepValues[]) => StepValues[]): ContactValues => ({
    ...values,
    rules: values.rules.map((each, index) => (index === at ? { ...each, steps: change(each.steps) } : each)),
  });
  switch (act) {
    case 'add-rule':
      return { ...values, rules: [...values.rules, { severities: [], steps: [newStep] }] };
    case 'remove-rule':
      return { ...values, rules: values.rules.filter((_, index) => index !== at) };
    case 'add-step':
      return edit((steps) => [...steps, { ...newStep, after: '5m' }]);
    case 'remove-step':
      return edit((steps) => steps.filter((_, index) => index !== Number(step)));
    default:
      return null;
  }
}

/** The settings, or what is wrong by field: 'timeZone', 'after.0.1', 'address.0.1', 'rule.0'. */
export function readContact(
  values: ContactValues,
): { rules: ContactRules; timeZone: string | null } | { problems: Problems } {
  const problems: Problems = {};
  if (values.timeZone !== '' && !timeZone.safeParse(values.timeZone).success) {
    problems.timeZone = 'Write a time zone such as Europe/Berlin, or leave it empty.';
  }
  values.rules.forEach((rule, r) => {
    if (rule.steps.length === 0) problems[`rule.${r}`] = 'Add a way to reach you, or take the rule out.';
    rule.steps.forEach(({ after }, s) => {
      if (parseDuration(after) === undefined) problems[`after.${r}.${s}`] = 'Write a time such as 0s or 5m.';
    });
  });
  const parsed = contactRules.safeParse(
    values.rules.map((rule) => {
      const named = severities.filter((known) => rule.severities.includes(known));
      return {
        ...(named.length > 0 && named.length < severities.length ? { severities: named } : {}),
        steps: rule.steps.map(({ after, ...way }) => ({ after, method: methodOf(way) })),
      };
    }),
  );
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues)
      problems[contactFieldOf(path.map(String))] ??= message;
  }
  if (!parsed.success || Object.keys(problems).length > 0) return { problems };
  return { rules: parsed.data, timeZone: values.timeZone || null };
}

/** 'rules.0.steps.1.method.address' is wrong in the field 'address.0.1', its channel in 'method.0.1'. */
export function contactFieldOf(path: string[]): string {
  const [rule = '0', part, step, ...rest] = path[0] === 'rules' ? path.slice(1) : path;
  if (part !== 'steps' || step === undefined) return `rule.${rule}`;
  const name = rest[0] === 'after' ? 'after' : rest.at(-1) === 'address' ? 'address' : 'method';
  return `${name}.${rule}.${step}`;
}

function methodOf({ method, address }: Pick<StepValues, 'method' | 'address'>): ContactMethod {
  if (method === otherAddress) return { type: 'email', address };
  const [, kind, name = ''] = /^(slack|channel):(.*)$/s.exec(method) ?? [];
  if (kind === 'slack') return { type: 'slack', channel: name };
  if (kind === 'channel') return { type: 'channel', name };
  return { type: 'email' };
}

/** For people: 'e-mail to ana@example.com', 'Slack, by ops-bot'. */
export function methodText(method: ContactMethod, email: string): string {
  switch (method.type) {
    case 'email':
      return `e-mail to ${method.address ?? email}`;
    case 'slack':
      return `Slack, by ${method.channel}`;
    case 'channel':
      return `channel ${method.name}`;
  }
}

interface RuleView {
  title: string;
  index: number;
  problem: string | null;
  severities: { id: string; value: string; label: string; checked: boolean }[];
  steps: { after: Field; method: Field; address: Field; remove: string; removeLabel: string }[];
}

export interface ContactFormView {
  timeZone: Field;
  rules: RuleView[];
  count: number;
  mayAdd: boolean;
  hasProblems: boolean;
}

export function contactFormView(
  values: ContactValues,
  problems: Problems,
  given: { email: string; channels: Channels; organizationZone: string },
): ContactFormView {
  return {
    timeZone: field('timeZone', 'Time zone', {
      values: { timeZone: values.timeZone },
      problems,
      optional: true,
      hint: `Such as Europe/Berlin; empty: ${given.organizationZone}`,
    }),
    rules: values.rules.map((rule, r) => ({
      title: `Rule ${r + 1}`,
      index: r,
      problem: problems[`rule.${r}`] ?? null,
      severities: severities.map((severity: Severity) => ({
        id: `severity-${r}-${severity}`,
        value: severity,
        label: severityMarks[severity].word,
        checked: rule.severities.includes(severity),
      })),
      steps: rule.steps.map((step, s) => {
        const one = (name: keyof StepValues, label: string, more: object = {}) =>
          field(`${name}.${r}`, label, {
            values: { [`${name}.${r}`]: step[name] },
            problems: problems[`${name}.${r}.${s}`]
              ? { [`${name}.${r}`]: problems[`${name}.${r}.${s}`] ?? '' }
              : {},
            id: `${name}-${r}-${s}`,
            ...more,
          });
        return {
          after: one('after', 'After'),
          method: one('method', 'By', { choices: choicesOf(step.method, given) }),
          address: one('address', 'Other address', { optional: true, type: 'email' }),
          remove: `remove-step.${r}.${s}`,
          removeLabel: `Take out way ${s + 1} of rule ${r + 1}`,
        };
      }),
    })),
    count: values.rules.length,
    mayAdd: values.rules.length < mostRules,
    hasProblems: Object.keys(problems).length > 0,
  };
}

function choicesOf(chosen: string, given: { email: string; channels: Channels }) {
  const choices = [
    { value: ownAddress, label: `E-mail to ${given.email}` },
    { value: otherAddress, label: 'E-mail to another address' },
    ...given.channels.flatMap(({ name, definition }) =>
      definition.type === 'slack' && definition.token !== undefined
        ? [{ value: `slack:${name}`, label: `Slack message to you, by ${name}` }]
        : [],
    ),
    ...given.channels.map(({ name }) => ({ value: `channel:${name}`, label: `Channel ${name}` })),
  ];
  // what was chosen stays to be seen, also after its channel has gone
  if (choices.some(({ value }) => value === chosen)) return choices;
  return [...choices, { value: chosen, label: `${chosen.replace(/^\w+:/, '')} (is not there any more)` }];
}
