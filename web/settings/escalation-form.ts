import { parseDuration } from '../../domain/duration.ts';
import { type EscalationPolicy, type EscalationTarget, escalationPolicy } from '../../domain/policies.ts';
import { type Field, field, type Problems, posted, postedAll } from '../layout/fields.ts';
import { matchFields, matchOf, nameProblem } from './matching.ts';

/** What the form holds as it was typed. */
export interface EscalationValues {
  name: string;
  severity: string;
  service: string;
  alert: string;
  levels: { after: string; targets: string }[];
  repeats: string;
  repeatAfter: string;
}

/** Empty levels after the filled ones: with two of them, two can be added without a script. */
const spareLevels = 2;

export function escalationValues(name: string, policy: EscalationPolicy): EscalationValues {
  return {
    name,
    severity: policy.match?.severity ?? '',
    service: policy.match?.service ?? '',
    alert: policy.match?.alert ?? '',
    levels: policy.levels.map((level) => ({
      after: level.after,
      targets: level.targets.map(targetText).join('\n'),
    })),
    repeats: String(policy.repeats),
    repeatAfter: policy.repeatAfter ?? '',
  };
}

export function postedEscalation(body: unknown): EscalationValues {
  const after = postedAll(body, 'after');
  const targets = postedAll(body, 'targets');
  return {
    name: posted(body, 'name'),
    severity: posted(body, 'severity'),
    service: posted(body, 'service'),
    alert: posted(body, 'alert'),
    levels: after
      .map((value, index) => ({ after: value, targets: targets[index] ?? '' }))
      .filter((level) => level.after !== '' || level.targets !== ''),
    repeats: posted(body, 'repeats'),
    repeatAfter: posted(body, 'repeatAfter'),
  };
}

/** The policy, or what is wrong by field: 'after.0', 'targets.0', 'repeats'… */
export function readEscalation(
  values: EscalationValues,
): { definition: EscalationPolicy } | { problems: Problems } {
  const problems: Problems = {};
  const wrong = nameProblem(values.name);
  if (wrong) problems.name = wrong;
  if (values.levels.length === 0) problems['after.0'] = 'Write at least one level, such as 0s.';
  const levels = values.levels.map((level, index) => {
    if (parseDuration(level.after) === undefined) {
      problems[`after.${index}`] = 'Write a time such as 0s, 15m or 1h.';
    }
    const targets = level.targets.split(/[\n,]/).flatMap((line) => {
      const text = line.trim();
      if (text === '') return [];
      const target = targetOfText(text);
      if (!target) {
        problems[`targets.${index}`] = `“${text}” is neither a mail address nor channel:name.`;
        return [];
      }
      return [target];
    });
    if (targets.length === 0) problems[`targets.${index}`] ??= 'Write who is paged at this level.';
    return { after: level.after, targets };
  });
  const repeats = values.repeats === '' ? 0 : Number(values.repeats);
  if (!Number.isInteger(repeats) || repeats < 0 || repeats > 20)
    problems.repeats = 'Write a number from 0 to 20.';
  if (values.repeatAfter !== '' && parseDuration(values.repeatAfter) === undefined) {
    problems.repeatAfter = 'Write a time such as 30m, or leave it empty.';
  }
  if (Object.keys(problems).length > 0) return { problems };
  const match = matchOf(values);
  const parsed = escalationPolicy.safeParse({
    levels,
    repeats,
    ...(values.repeatAfter ? { repeatAfter: values.repeatAfter } : {}),
    ...(match ? { match } : {}),
  });
  if (parsed.success) return { definition: parsed.data };
  for (const issue of parsed.error.issues) {
    problems[fieldOfPath(issue.path.map(String))] ??= issue.message;
  }
  return { problems };
}

/** 'levels.1.targets.0.name' is wrong in the field 'targets.1'. */
export function fieldOfPath(path: string[]): string {
  const [first = 'name', index = '0', part = 'targets'] = path;
  if (first === 'match') return index;
  return first === 'levels' ? `${part}.${index}` : first;
}

export function targetText(target: EscalationTarget): string {
  switch (target.type) {
    case 'email':
      return target.address;
    case 'user':
      return `user:${target.email}`;
    case 'channel':
      return `channel:${target.name}`;
    case 'schedule':
      return `schedule:${target.name}`;
  }
}

function targetOfText(text: string): EscalationTarget | undefined {
  const [, kind, rest] = /^(channel|user|schedule):\s*(.+)$/.exec(text) ?? [];
  if ((kind === 'channel' || kind === 'schedule') && rest) return { type: kind, name: rest };
  const address = rest ?? text;
  if (!/^[^\s@]+@[^\s@]+$/.test(address)) return undefined;
  return kind === 'user' ? { type: 'user', email: address } : { type: 'email', address };
}

export interface EscalationFormView {
  heading: string;
  action: string;
  deleteAction: string | null;
  name: Field;
  match: Field[];
  isDefault: boolean;
  levels: { label: string; after: Field; targets: Field }[];
  repeats: Field;
  repeatAfter: Field;
  hasProblems: boolean;
}

export function escalationFormView(
  values: EscalationValues,
  problems: Problems,
  existing: boolean,
): EscalationFormView {
  const flat: Record<string, string> = {
    name: values.name,
    severity: values.severity,
    service: values.service,
    alert: values.alert,
    repeats: values.repeats,
    repeatAfter: values.repeatAfter,
  };
  const given = { values: flat, problems };
  const rows = [...values.levels, ...Array.from({ length: spareLevels }, () => ({ after: '', targets: '' }))];
  const base = '/settings/escalation-policies';
  const own = `${base}/${encodeURIComponent(values.name)}`;
  return {
    heading: existing ? values.name : 'New escalation policy',
    action: existing ? own : `${base}/new`,
    deleteAction: existing && values.name !== 'default' ? `${own}/delete` : null,
    isDefault: existing && values.name === 'default',
    name: field('name', 'Name', { ...given, readonly: existing, hint: 'Letters, digits, - and _' }),
    match: matchFields(given),
    levels: rows.map((level, index) => ({
      label: `Level ${index + 1}`,
      after: {
        ...field('after', 'After', {
          values: { after: level.after },
          problems: problems[`after.${index}`] ? { after: problems[`after.${index}`] ?? '' } : {},
          id: `after-${index}`,
        }),
      },
      targets: field('targets', 'Page', {
        values: { targets: level.targets },
        problems: problems[`targets.${index}`] ? { targets: problems[`targets.${index}`] ?? '' } : {},
        id: `targets-${index}`,
        rows: Math.max(1, level.targets.split('\n').length),
      }),
    })),
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
    hasProblems: Object.keys(problems).length > 0,
  };
}
