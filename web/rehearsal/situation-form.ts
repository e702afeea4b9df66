import type { IncidentMatch } from '../../domain/policies.ts';
import { severities } from '../../domain/severity.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { severityMarks } from '../layout/words.ts';
import { labelsText, readLabels } from '../settings/matching.ts';

/** What the form holds as it was typed, by the names of its fields. */
export type SituationValues = Record<(typeof names)[number], string>;

const names = [
  'situation.at',
  'situation.severity',
  'situation.service',
  'situation.alert',
  'situation.team',
  'situation.labels',
  'situation.lasts',
  'situation.answerWhat',
  'situation.answerBy',
  'situation.answerAfter',
  'situation.fails',
  'week.from',
] as const;

/**
 * What is tried first: the hour at which nobody likes to be called, and an incident that `match` is for.
 * @param week a day of it, ISO 8601
 */
export function firstSituation(timeZone: string, week: string, match: IncidentMatch = {}): SituationValues {
  const { severity = 'critical', service = '', alert = '', team = '', labels = {} } = match;
  const samples = Object.entries(labels).map(([name, glob]) => [name, sampleOf(glob)] as const);
  return {
    ...postedSituation({}),
    'situation.at': `Saturday 03:00 ${timeZone}`,
    'situation.severity': severity,
    'situation.service': sampleOf(service),
    'situation.alert': sampleOf(alert),
    'situation.team': team,
    'situation.labels': labelsText(Object.fromEntries(samples)),
    'week.from': week,
  };
}

/** A text that a glob matches. */
function sampleOf(glob: string): string {
  return glob.replaceAll('*', '1').replaceAll('?', '1');
}

export function postedSituation(body: unknown): SituationValues {
  return Object.fromEntries(names.map((name) => [name, posted(body, name)])) as SituationValues;
}

/** The situation as the API takes it, or what is wrong with what only the form has. */
export function situationOf(
  values: SituationValues,
  timeZone: string,
): { situation: unknown } | { problems: Problems } {
  const labels = readLabels(values['situation.labels']);
  if ('problem' in labels) return { problems: { 'situation.labels': labels.problem } };
  const what = values['situation.answerWhat'];
  const answers =
    what === ''
      ? []
      : [{ what, by: values['situation.answerBy'], after: values['situation.answerAfter'] || '5m' }];
  const fails = values['situation.fails'];
  return {
    situation: {
      at: values['situation.at'],
      timeZone,
      severity: values['situation.severity'],
      service: values['situation.service'] || null,
      ...(values['situation.alert'] ? { alert: values['situation.alert'] } : {}),
      labels: labels.labels,
      ...(values['situation.team'] ? { team: values['situation.team'] } : {}),
      ...(values['situation.lasts'] ? { lasts: values['situation.lasts'] } : {}),
      answers,
      failures: fails === '' ? [] : [{ target: fails }],
    },
  };
}

/** 'situation.answers.0.by' is wrong in the field 'situation.answerBy'. */
export function situationFieldOf(path: string[]): string {
  const [first = '', second = '', , part = ''] = path;
  if (first === 'situation' && second === 'answers') {
    return `situation.answer${part.charAt(0).toUpperCase()}${part.slice(1)}`;
  }
  if (first === 'situation' && second === 'failures') return 'situation.fails';
  return [first, second].filter(Boolean).join('.');
}

export interface SituationFormView {
  when: Field[];
  what: Field[];
  answer: Field[];
  weekFrom: Field;
}

export function situationFormView(
  values: SituationValues,
  problems: Problems,
  {
    people,
    channels,
    teams,
    organizationZone,
  }: {
    people: string[];
    channels: string[];
    teams: { slug: string; name: string }[];
    organizationZone: string;
  },
): SituationFormView {
  const given = { values, problems };
  return {
    when: [
      field('situation.at', 'When', {
        ...given,
        hint: 'Such as Saturday 03:00 Europe/Berlin, or 2026-11-28 03:00',
      }),
      field('situation.severity', 'Severity', {
        ...given,
        choices: severities.map((value) => ({ value, label: severityMarks[value].word })),
      }),
      field('situation.service', 'Service', { ...given, optional: true, hint: 'Such as payment-api' }),
    ],
    what: [
      field('situation.alert', 'Alert name', { ...given, optional: true }),
      field('situation.team', 'Team', {
        ...given,
        choices: [
          { value: '', label: 'As the labels say' },
          ...teams.map(({ slug, name }) => ({ value: slug, label: name })),
        ],
      }),
      field('situation.labels', 'Labels', {
        ...given,
        optional: true,
        rows: 2,
        hint: 'One per line: cluster = eu-1',
      }),
      field('situation.lasts', 'Lasts', {
        ...given,
        optional: true,
        hint: 'Such as 45m; else it goes on firing',
      }),
    ],
    answer: [
      field('situation.answerWhat', 'Somebody', {
        ...given,
        choices: [
          { value: '', label: 'does nothing' },
          { value: 'acknowledge', label: 'acknowledges' },
          { value: 'resolve', label: 'resolves it' },
          { value: 'snooze', label: 'snoozes it for an hour' },
        ],
      }),
      field('situation.answerBy', 'Who', {
        ...given,
        choices: people.map((email) => ({ value: email, label: email })),
      }),
      field('situation.answerAfter', 'After', {
        ...given,
        optional: true,
        hint: 'From the opening, such as 20m',
      }),
      field('situation.fails', 'What fails', {
        ...given,
        choices: [
          { value: '', label: 'nothing' },
          ...channels.map((name) => ({ value: name, label: `channel ${name}` })),
          ...people.map((email) => ({ value: email, label: `mail to ${email}` })),
        ],
      }),
    ],
    weekFrom: field('week.from', 'A day of the week', {
      ...given,
      type: 'date',
      hint: `It goes from Monday 00:00 to the next, ${organizationZone}.`,
    }),
  };
}
