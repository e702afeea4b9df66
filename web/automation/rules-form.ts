import type { StoredSafetyRules } from '../../db/safety.ts';
import { stepTypes } from '../../domain/runbook/definition.ts';
import { dayNames, daysText } from '../../domain/safety/business-hours.ts';
import {
  defaultMaxPerHour,
  type SafetyRules,
  type SafetyScope,
  safetyRules,
  safetyScopes,
} from '../../domain/safety/rules.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';

const names = [
  'scope',
  'name',
  'maxPerHour',
  'cooldown',
  'days',
  'from',
  'to',
  'timeZone',
  'allowCommands',
  'allowHosts',
  'allowStepTypes',
  'denyCommands',
  'denyHosts',
  'denyStepTypes',
] as const;
export type RulesValues = Record<(typeof names)[number], string>;

export function emptyRules(scope: SafetyScope, name: string): RulesValues {
  const empty = Object.fromEntries(names.map((key) => [key, ''])) as RulesValues;
  return { ...empty, scope, name };
}

export function rulesValues({
  scope,
  name,
  rules,
}: Pick<StoredSafetyRules, 'scope' | 'name' | 'rules'>): RulesValues {
  const { allow, deny, hours } = rules;
  const lines = (list: readonly string[] | undefined) => list?.join('\n') ?? '';
  return {
    scope,
    name,
    maxPerHour: rules.maxPerHour === undefined ? '' : String(rules.maxPerHour),
    cooldown: rules.cooldown ?? '',
    days: hours ? daysText(hours.days) : '',
    from: hours?.from ?? '',
    to: hours?.to ?? '',
    timeZone: hours?.timeZone ?? '',
    allowCommands: lines(allow?.commands),
    allowHosts: lines(allow?.hosts),
    allowStepTypes: allow?.stepTypes?.join(', ') ?? '',
    denyCommands: lines(deny?.commands),
    denyHosts: lines(deny?.hosts),
    denyStepTypes: deny?.stepTypes?.join(', ') ?? '',
  };
}

export function postedRules(body: unknown): RulesValues {
  return Object.fromEntries(names.map((name) => [name, posted(body, name)])) as RulesValues;
}

export interface ReadRules {
  scope: SafetyScope;
  name: string;
  rules: SafetyRules;
}

export function readRules(values: RulesValues): ReadRules | { problems: Problems } {
  const problems: Problems = {};
  const scope = safetyScopes.find((known) => known === values.scope);
  if (!scope) problems.scope = 'Choose what they are for.';
  const name = scope === 'organization' ? '' : values.name;
  if (scope !== 'organization' && name === '') problems.name = 'Say which.';
  if (name.length > 500) problems.name = 'Write at most 500 characters.';
  const maxPerHour = values.maxPerHour === '' ? undefined : Number(values.maxPerHour);
  const days = values.days === '' ? [] : daysOf(values.days);
  if (!days) problems.days = 'Write days such as Mon–Fri or Sat, Sun.';
  const { from, to, timeZone } = values;
  const hasHours = [values.days, from, to, timeZone].some((value) => value !== '');
  const parsed = safetyRules.safeParse({
    ...(maxPerHour === undefined ? {} : { maxPerHour }),
    ...(values.cooldown === '' ? {} : { cooldown: values.cooldown }),
    ...(hasHours ? { hours: { days: days ?? [1], from, to, timeZone } } : {}),
    ...listOf('allow', values.allowCommands, values.allowHosts, values.allowStepTypes),
    ...listOf('deny', values.denyCommands, values.denyHosts, values.denyStepTypes),
  });
  for (const issue of parsed.error?.issues ?? []) {
    problems[fieldOfPath(issue.path.map(String))] ??= problemText(issue.path.map(String), issue.message);
  }
  if (scope && parsed.success && Object.keys(problems).length === 0) {
    return { scope, name, rules: parsed.data };
  }
  return { problems };
}

/** 'Mon–Fri, Sun' → 1 to 5 and 7; undefined where a word is no day. */
function daysOf(text: string): number[] | undefined {
  const day = (word: string) => dayNames.indexOf(titled(word.slice(0, 3))) + 1;
  const found: number[] = [];
  for (const word of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const [first = 0, last = first] = word.split(/[-–]/).map(day);
    if (first === 0 || last < first) return undefined;
    for (let at = first; at <= last; at++) found.push(at);
  }
  return [...new Set(found)].sort((a, b) => a - b);
}

function titled(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}

/** Patterns stand one on a line (a command may hold commas), kinds of steps are parted by commas. */
function listOf(key: 'allow' | 'deny', commands: string, hosts: string, types: string) {
  const words = (text: string, by: RegExp) =>
    text
      .split(by)
      .map((part) => part.trim())
      .filter((part) => part !== '');
  const lists = {
    commands: words(commands, /\r?\n/),
    hosts: words(hosts, /[\s,]+/),
    stepTypes: words(types, /[\s,]+/),
  };
  const given = Object.entries(lists).filter(([, list]) => list.length > 0);
  return given.length === 0 ? {} : { [key]: Object.fromEntries(given) };
}

function fieldOfPath([first = 'scope', second = '']: readonly string[]): string {
  if (first === 'hours') return second === '' ? 'days' : second;
  if (first !== 'allow' && first !== 'deny') return first;
  return `${first}${second.charAt(0).toUpperCase()}${second.slice(1)}`;
}

function problemText([first, second]: readonly string[], message: string): string {
  if (first === 'maxPerHour') return 'Write a whole number from 0 to 10000; 0 lets nothing run.';
  if (second === 'stepTypes') return `Write kinds of steps: ${stepTypes.join(', ')}.`;
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

export interface RulesFormView {
  heading: string;
  action: string;
  deleteAction: string | null;
  /** Null where it is the organization's. */
  which: Field[] | null;
  scope: string;
  name: string;
  limits: Field[];
  hours: Field[];
  allow: Field[];
  deny: Field[];
}

export function rulesFormView(
  values: RulesValues,
  problems: Problems,
  given: { existing: boolean; stored: boolean },
): RulesFormView {
  const stated = { values, problems, optional: true };
  const organization = values.scope === 'organization';
  const list = (key: 'allow' | 'deny') => [
    field(`${key}Commands`, 'Commands', {
      ...stated,
      rows: 3,
      hint:
        key === 'deny'
          ? 'One on each line: rm -rf *, or a program such as reboot'
          : 'One on each line, whole as it is written: systemctl restart *',
    }),
    field(`${key}Hosts`, 'Hosts', { ...stated, rows: 3, hint: 'One on each line: *.example.com' }),
    field(`${key}StepTypes`, 'Kinds of steps', { ...stated, hint: 'Such as ssh, sql' }),
  ];
  return {
    heading: given.existing
      ? organization
        ? 'Safety rules of the organization'
        : `Safety rules of ${values.scope} ${values.name}`
      : 'New safety rules',
    action: given.existing ? '/automation/rules/edit' : '/automation/rules/new',
    deleteAction: given.stored ? '/automation/rules/delete' : null,
    which: given.existing
      ? null
      : [
          field('scope', 'For', {
            values,
            problems,
            choices: [
              { value: 'target', label: 'Targets' },
              { value: 'runbook', label: 'A runbook' },
              { value: 'team', label: 'A team' },
              { value: 'organization', label: 'The whole organization' },
            ],
          }),
          field('name', 'Which', {
            values,
            problems,
            hint: 'Targets by a pattern (db-*), a runbook by name, a team by its short name',
          }),
        ],
    scope: values.scope,
    name: values.name,
    limits: [
      field('maxPerHour', 'Runs per hour', {
        ...stated,
        type: 'number',
        hint: organization ? `Empty: ${defaultMaxPerHour}` : 'Empty: no limit of its own',
      }),
      field('cooldown', 'Cooldown', {
        ...stated,
        hint: 'At least so long between two runs of a runbook on a target: 5m',
      }),
    ],
    hours: [
      field('days', 'Days', { ...stated, hint: 'Such as Mon–Fri' }),
      field('from', 'From', { ...stated, hint: '09:00' }),
      field('to', 'To', { ...stated, hint: '17:00' }),
      field('timeZone', 'Time zone', { ...stated, hint: 'Such as Europe/Berlin' }),
    ],
    allow: list('allow'),
    deny: list('deny'),
  };
}
