import type { FoundBySilence } from '../../db/silence-preview.ts';
import { type Silence, silence } from '../../domain/silences/silence.ts';
import { isTimeZone } from '../../domain/wall-clock.ts';
import { type Field, field, type Problems, posted, postedAll } from '../layout/fields.ts';
import { weeklyHours } from '../layout/weekly-hours.ts';
import { inputMoment, inputText } from '../on-call/times.ts';
import { labelsText, readLabels } from '../settings/matching.ts';

export const silencesPath = '/silences';

/** What the form holds as it was typed; times are by the clock of its time zone. */
export interface SilenceValues {
  texts: Record<TextField, string>;
  days: string[];
}

const textFields = [
  'alert',
  'service',
  'labels',
  'team',
  'startsAt',
  'endsAt',
  'from',
  'to',
  'timeZone',
  'reason',
] as const;
type TextField = (typeof textFields)[number];

const hourMs = 3_600_000;

/** The form for a silence of alerts like this: 'silence this'. */
export function silenceHref(about: { alert?: string; service: string | null }): string {
  const given = {
    ...(about.alert === undefined ? {} : { alert: about.alert }),
    ...(about.service === null ? {} : { service: about.service }),
  };
  return `${silencesPath}/new?${new URLSearchParams(given)}`;
}

/**
 * Two hours from now, of what an address names: 'silence this'.
 * @param timeZone of whoever makes it
 */
export function newSilence(query: Record<string, unknown>, now: number, timeZone: string): SilenceValues {
  const given = (name: string) => {
    const value = query[name];
    return typeof value === 'string' ? value : '';
  };
  const labels = Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) =>
      name.startsWith('label.') && typeof value === 'string' ? [[name.slice('label.'.length), value]] : [],
    ),
  );
  return {
    texts: {
      alert: escapeGlob(given('alert')),
      service: escapeGlob(given('service')),
      labels: labelsText(labels),
      team: given('team'),
      startsAt: '',
      endsAt: inputText(timeZone, now + 2 * hourMs),
      from: '',
      to: '',
      timeZone,
      reason: '',
    },
    days: [],
  };
}

export function postedSilence(body: unknown): SilenceValues {
  return {
    texts: Object.fromEntries(textFields.map((name) => [name, posted(body, name)])) as SilenceValues['texts'],
    days: postedAll(body, 'days'),
  };
}

/** The silence, or what is wrong by field. */
export function readSilence(
  { texts, days }: SilenceValues,
  now: number,
): { silence: Silence } | { problems: Problems } {
  const problems: Problems = {};
  const labels = readLabels(texts.labels);
  if ('problem' in labels) problems.labels = labels.problem;
  const timeZone = texts.timeZone || 'UTC';
  if (!isTimeZone(timeZone)) return { problems: { ...problems, timeZone: noZone } };
  const startsAt = texts.startsAt === '' ? now : inputMoment(timeZone, texts.startsAt);
  const endsAt = inputMoment(timeZone, texts.endsAt);
  if (startsAt === undefined) problems.startsAt = 'Write a day and a time, or leave it empty: from now on.';
  if (endsAt === undefined) problems.endsAt = 'Write when it ends: what is forgotten must not stay silent.';
  else if (endsAt <= now) problems.endsAt = `This lies in the past by the clock of ${timeZone}.`;
  if (Object.keys(problems).length > 0) return { problems };
  const weekly = days.length > 0 || texts.from !== '' || texts.to !== '';
  const parsed = silence.safeParse({
    match: {
      ...(texts.alert ? { alert: texts.alert } : {}),
      ...(texts.service ? { service: texts.service } : {}),
      ...('labels' in labels && Object.keys(labels.labels).length > 0 ? { labels: labels.labels } : {}),
    },
    startsAt: new Date(startsAt ?? now).toISOString(),
    endsAt: new Date(endsAt ?? now).toISOString(),
    ...(weekly ? { weekly: { days, from: texts.from, to: texts.to, timeZone } } : {}),
    team: texts.team === '' ? null : texts.team,
    reason: texts.reason,
  });
  if (parsed.success) return { silence: parsed.data };
  for (const issue of parsed.error.issues) {
    problems[fieldOfPath(issue.path.map(String))] ??= sentenceOf(issue.message);
  }
  return { problems };
}

/** 'weekly.days' is wrong in the field 'days', 'match' in the first of what it is about. */
function fieldOfPath([first = 'reason', second]: string[]): string {
  if (first === 'match') return second ?? 'alert';
  return first === 'weekly' ? (second ?? 'days') : first;
}

function sentenceOf(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

/** What a name holds stands for itself, also where a glob would read it. */
function escapeGlob(name: string): string {
  return name.replaceAll(/[\\*?[\]{},]/g, '\\$&');
}

const noZone = 'Write a time zone such as Europe/Berlin or UTC.';

export interface SilenceFormView extends ReturnType<typeof weeklyHours> {
  hasProblems: boolean;
  about: Field[];
  labels: Field;
  times: Field[];
  reason: Field;
}

export function silenceFormView(
  values: SilenceValues,
  problems: Problems,
  /** Whose alerts the visitor may silence. */
  { teams, everybody }: { teams: { slug: string; name: string }[]; everybody: boolean },
): SilenceFormView {
  const given = { values: values.texts, problems };
  const weekly = weeklyHours(values.days, given);
  const team = field('team', 'Whose alerts', {
    ...given,
    choices: [
      ...(everybody ? [{ value: '', label: 'Everybody' }] : []),
      ...teams.map(({ slug, name }) => ({ value: slug, label: name })),
    ],
  });
  return {
    hasProblems: Object.keys(problems).length > 0,
    about: [
      field('alert', 'Alert name', { ...given, optional: true, hint: 'Such as DiskFull or Disk*' }),
      field('service', 'Service', { ...given, optional: true, hint: 'Such as checkout or db-*' }),
      ...(teams.length > 0 ? [team] : []),
    ],
    labels: field('labels', 'Labels', {
      ...given,
      optional: true,
      rows: 2,
      hint: 'One per line, such as host = db-*; all must hold',
    }),
    times: [
      field('startsAt', 'Starts', {
        ...given,
        type: 'datetime-local',
        optional: true,
        hint: 'Empty: now',
      }),
      field('endsAt', 'Ends', {
        ...given,
        type: 'datetime-local',
        hint: 'At most 90 days after the start',
      }),
      field('timeZone', 'Time zone', { ...given, hint: 'Of all times here, such as Europe/Berlin' }),
    ],
    ...weekly,
    // the zone stands beside start and end: its clock counts for all times here
    hours: weekly.hours.filter(({ name }) => name !== 'timeZone'),
    reason: field('reason', 'Why', { ...given, hint: 'Stands on every incident that it keeps quiet' }),
  };
}

export function previewView(found: FoundBySilence) {
  const { alerts, caught, kinds, now } = found;
  const looked = found.cut ? 'the latest 20,000 alerts' : `${alerts} alerts of the last 30 days`;
  const quiet =
    now.incidents.length === 0
      ? 'It would catch nothing that fires now.'
      : `Of what fires now it would catch ${now.alerts} ${now.alerts === 1 ? 'alert' : 'alerts'}:`;
  return {
    sentence: `It would have caught ${caught} of ${looked}.`,
    quiet,
    incidents: now.incidents.slice(0, 20),
    kinds: kinds.map(({ alert, service, caught: count, lastAt }) => ({
      alert,
      service: service ?? '',
      caught: count,
      lastAt: new Date(lastAt).toISOString(),
    })),
    kindsCut: found.kindsCut,
  };
}
