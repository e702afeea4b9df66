import { parseDuration } from '../../domain/duration.ts';
import { type EscalationPolicy, type EscalationTarget, escalationPolicy } from '../../domain/policies.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import type { TargetChoice, TargetChoices } from './escalation-targets.ts';
import { labelsText, matchFields, matchOf, nameProblem, readLabels } from './matching.ts';

export const escalationPath = '/settings/escalation-policies';

/** What the form holds as it was typed. */
export interface EscalationValues {
  name: string;
  severity: string;
  service: string;
  alert: string;
  team: string;
  labels: string;
  levels: LevelValues[];
  repeats: string;
  repeatAfter: string;
  remindAfter: string;
  unacknowledgeAfter: string;
}

interface LevelValues {
  after: string;
  targets: TargetValues[];
}

export interface TargetValues {
  /** 'schedule:primary', 'user:ana@example.com', 'channel:ops', 'email', or '' where none is chosen. */
  who: string;
  /** Of 'email'. */
  address: string;
}

export const noTarget: TargetValues = { who: '', address: '' };
const timeRemedy = 'Write a time such as 30m, or leave it empty.';

export function newEscalation(target: EscalationTarget): EscalationValues {
  const policy = escalationPolicy.parse({ levels: [{ after: '0s', targets: [target] }] });
  const values = escalationValues('', policy);
  return { ...values, levels: [...values.levels, { after: '15m', targets: [noTarget] }] };
}

export function escalationValues(name: string, policy: EscalationPolicy): EscalationValues {
  return {
    name,
    severity: policy.match?.severity ?? '',
    service: policy.match?.service ?? '',
    alert: policy.match?.alert ?? '',
    team: policy.match?.team ?? '',
    labels: labelsText(policy.match?.labels),
    levels: policy.levels.map(({ after, targets }) => ({ after, targets: targets.map(targetValues) })),
    repeats: String(policy.repeats),
    repeatAfter: policy.repeatAfter ?? '',
    remindAfter: policy.remindAfter ?? '',
    unacknowledgeAfter: policy.unacknowledgeAfter ?? '',
  };
}

/** Fields of levels are called 'after.0', 'who.0.1' and 'address.0.1', by level and target. */
export function postedEscalation(body: unknown): EscalationValues {
  const names = typeof body === 'object' && body !== null ? Object.keys(body) : [];
  const countOf = (pattern: RegExp) =>
    Math.min(20, Math.max(0, ...names.map((name) => Number(pattern.exec(name)?.[1] ?? -1) + 1)));
  const levels = Array.from({ length: countOf(/^after\.(\d{1,2})$/) }, (_, level) => ({
    after: posted(body, `after.${level}`),
    targets: Array.from({ length: countOf(new RegExp(`^who\\.${level}\\.(\\d{1,2})$`)) }, (__, target) => ({
      who: posted(body, `who.${level}.${target}`),
      address: posted(body, `address.${level}.${target}`),
    })),
  }));
  return {
    name: posted(body, 'name'),
    severity: posted(body, 'severity'),
    service: posted(body, 'service'),
    alert: posted(body, 'alert'),
    team: posted(body, 'team'),
    labels: posted(body, 'labels'),
    levels,
    repeats: posted(body, 'repeats'),
    repeatAfter: posted(body, 'repeatAfter'),
    remindAfter: posted(body, 'remindAfter'),
    unacknowledgeAfter: posted(body, 'unacknowledgeAfter'),
  };
}

/** The form after a button that adds or removes rows: 'add-level', 'remove-level.1', 'add-target.0', 'remove-target.0.1'. */
export function editEscalation(values: EscalationValues, edit: string): EscalationValues {
  const [what = '', level = -1, target = -1] = edit
    .split('.')
    .map((part, index) => (index === 0 ? part : Number(part))) as [string, number?, number?];
  const inLevel = (change: (targets: TargetValues[]) => TargetValues[]) =>
    values.levels.map((each, index) => (index === level ? { ...each, targets: change(each.targets) } : each));
  switch (what) {
    case 'add-level':
      return { ...values, levels: [...values.levels, { after: '', targets: [noTarget] }].slice(0, 20) };
    case 'remove-level':
      return { ...values, levels: values.levels.filter((_, index) => index !== level) };
    case 'add-target':
      return { ...values, levels: inLevel((targets) => [...targets, noTarget].slice(0, 20)) };
    case 'remove-target':
      return { ...values, levels: inLevel((targets) => targets.filter((_, index) => index !== target)) };
    default:
      return values;
  }
}

/** Without the rows that were left empty. */
export function withoutEmptyRows(values: EscalationValues): EscalationValues {
  const filled = values.levels
    .map(({ after, targets }) => ({
      after,
      targets: targets.filter(({ who, address }) => who !== '' || address !== ''),
    }))
    .filter(({ after, targets }) => after !== '' || targets.length > 0);
  return { ...values, levels: filled };
}

/** The policy, or what is wrong by field: 'after.0', 'who.0.1', 'repeats'… Empty rows are taken for mistakes. */
export function readEscalation(
  values: EscalationValues,
): { definition: EscalationPolicy } | { problems: Problems } {
  const problems: Problems = {};
  const wrong = nameProblem(values.name);
  if (wrong) problems.name = wrong;
  const labels = readLabels(values.labels);
  if ('problem' in labels) problems.labels = labels.problem;
  if (values.levels.length === 0) problems.levels = 'Add at least one level.';
  const levels = values.levels.map(({ after, targets }, index) => {
    if (parseDuration(after) === undefined)
      problems[`after.${index}`] = 'Write a time such as 0s, 15m or 1h.';
    if (targets.length === 0) problems[`who.${index}.0`] = 'Choose who is paged at this level.';
    return {
      after,
      targets: targets.map((target, place) => readTarget(target, `${index}.${place}`, problems)),
    };
  });
  const repeats = values.repeats === '' ? 0 : Number(values.repeats);
  if (!Number.isInteger(repeats) || repeats < 0 || repeats > 20)
    problems.repeats = 'Write a number from 0 to 20.';
  for (const name of ['repeatAfter', 'remindAfter', 'unacknowledgeAfter'] as const) {
    if (values[name] !== '' && parseDuration(values[name]) === undefined) problems[name] = timeRemedy;
  }
  const match = matchOf(values);
  const parsed = escalationPolicy.safeParse({
    levels,
    repeats,
    ...(values.repeatAfter ? { repeatAfter: values.repeatAfter } : {}),
    ...(values.remindAfter ? { remindAfter: values.remindAfter } : {}),
    ...(values.unacknowledgeAfter ? { unacknowledgeAfter: values.unacknowledgeAfter } : {}),
    ...(match ? { match } : {}),
  });
  // what is wrong with the typed text is said above, nearer to it
  if (Object.keys(problems).length > 0) return { problems };
  if (parsed.success) return { definition: parsed.data };
  for (const issue of parsed.error.issues) {
    problems[fieldOfPath(issue.path.map(String))] ??= issue.message;
  }
  return { problems };
}

/** 'levels.1.targets.0.name' is wrong in the field 'who.1.0'. */
export function fieldOfPath(path: string[]): string {
  const [first = 'name', index = '0', part = '', place = '0'] = path;
  if (first === 'match') return index;
  if (first !== 'levels') return first;
  return part === 'after' ? `after.${index}` : `who.${index}.${place}`;
}

export function targetValues(target: EscalationTarget): TargetValues {
  switch (target.type) {
    case 'email':
      return { who: 'email', address: target.address };
    case 'user':
      return { who: `user:${target.email}`, address: '' };
    case 'channel':
    case 'schedule':
      return { who: `${target.type}:${target.name}`, address: '' };
  }
}

/** `place` is of the fields 'who.<place>' and 'address.<place>', which problems are named after. */
export function readTarget({ who, address }: TargetValues, place: string, problems: Problems): unknown {
  const at = who.indexOf(':');
  const kind = who.slice(0, at);
  const name = who.slice(at + 1);
  if (kind === 'user') return { type: 'user', email: name };
  if (kind === 'schedule' || kind === 'channel') return { type: kind, name };
  if (who === '' && address === '') problems[`who.${place}`] = 'Choose who is paged.';
  else if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(address)) {
    problems[`address.${place}`] = 'Write a mail address, such as ana@example.com.';
  }
  return { type: 'email', address };
}

export interface EscalationFormView {
  heading: string;
  action: string;
  deleteAction: string | null;
  name: Field;
  match: Field[];
  isDefault: boolean;
  levels: LevelView[];
  levelsProblem: string | null;
  repeats: Field;
  repeatAfter: Field;
  remindAfter: Field;
  unacknowledgeAfter: Field;
  hasProblems: boolean;
}

interface LevelView {
  number: number;
  after: Field;
  targets: {
    place: string;
    label: string;
    groups: { label: string; options: (TargetChoice & { selected: boolean })[] }[];
    who: { id: string; name: string; problem: string | null };
    address: Field;
  }[];
  addTarget: string;
  remove: string;
}

export function escalationFormView(
  values: EscalationValues,
  problems: Problems,
  existing: boolean,
  choices: TargetChoices,
): EscalationFormView {
  const { levels, ...texts } = values;
  const given = { values: texts, problems };
  const own = `${escalationPath}/${encodeURIComponent(values.name)}`;
  return {
    heading: existing ? values.name : 'New escalation policy',
    action: existing ? own : `${escalationPath}/new`,
    deleteAction: existing && values.name !== 'default' ? `${own}/delete` : null,
    isDefault: existing && values.name === 'default',
    name: field('name', 'Name', { ...given, readonly: existing, hint: 'Letters, digits, - and _' }),
    match: matchFields(given, choices.teams),
    levels: levels.map((level, index) => levelView(level, index, problems, choices)),
    levelsProblem: problems.levels ?? null,
    repeats: field('repeats', 'Further passes', {
      ...given,
      type: 'number',
      hint: '0: each level pages once',
    }),
    repeatAfter: field('repeatAfter', 'Pause between passes', {
      ...given,
      optional: true,
      hint: 'Such as 30m; else as long as the last level waits',
    }),
    remindAfter: field('remindAfter', 'Remind after', {
      ...given,
      optional: true,
      hint: 'Acknowledged, and nothing happened for so long: whoever acknowledged is reminded',
    }),
    unacknowledgeAfter: field('unacknowledgeAfter', 'Take back after', {
      ...given,
      optional: true,
      hint: 'Nothing happened for so long: the acknowledgement is taken back and paging begins anew',
    }),
    hasProblems: Object.keys(problems).length > 0,
  };
}

function levelView(
  { after, targets }: LevelValues,
  index: number,
  problems: Problems,
  choices: TargetChoices,
): LevelView {
  const given = { values: { [`after.${index}`]: after }, problems };
  const rows = targets.length > 0 ? targets : [noTarget];
  return {
    number: index + 1,
    after: field(`after.${index}`, 'After', { ...given, hint: 'From the opening: 0s, 15m' }),
    targets: rows.map((target, row) => {
      const place = `${index}.${row}`;
      return {
        place,
        label: `Level ${index + 1}, target ${row + 1}`,
        groups: choices.groupsFor(target.who),
        who: {
          id: `field-who-${index}-${row}`,
          name: `who.${place}`,
          problem: problems[`who.${place}`] ?? null,
        },
        address: field(`address.${place}`, `Address of level ${index + 1}, target ${row + 1}`, {
          values: { [`address.${place}`]: target.address },
          problems,
          type: 'email',
        }),
      };
    }),
    addTarget: `add-target.${index}`,
    remove: `remove-level.${index}`,
  };
}
