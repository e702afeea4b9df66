import { z } from 'zod';
import { changeStatuses, changeTypes } from '../../domain/changes/change.ts';
import {
  type NewChange,
  newChangeFields,
  saysWhat,
  saysWhatRemedy,
} from '../../domain/changes/new-change.ts';
import { changeTypeNames } from '../../domain/changes/words.ts';
import { parseDuration } from '../../domain/duration.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { changeMarks } from '../layout/words.ts';

const names = [
  'service',
  'environment',
  'type',
  'status',
  'title',
  'version',
  'previousVersion',
  'at',
  'url',
] as const;
export type ChangeValues = Record<(typeof names)[number], string>;

export const emptyChange: ChangeValues = {
  service: '',
  environment: '',
  type: 'deployment',
  status: 'succeeded',
  title: '',
  version: '',
  previousVersion: '',
  at: '',
  url: '',
};

export function postedChange(body: unknown): ChangeValues {
  return Object.fromEntries(names.map((name) => [name, posted(body, name)])) as ChangeValues;
}

const whenRemedy = 'Write how long ago, such as 15m or 2h, or a time such as 2026-11-21T02:14:00Z.';
const form = z.object(newChangeFields).refine(saysWhat, saysWhatRemedy);

export function readChange(
  values: ChangeValues,
  now: number,
): { change: NewChange } | { problems: Problems } {
  const ago = parseDuration(values.at);
  const at = ago === undefined ? values.at : new Date(now - ago).toISOString();
  // an empty field was not given
  const given = Object.entries({ ...values, at }).map(([name, value]) => [name, value || undefined]);
  const parsed = form.safeParse(Object.fromEntries(given));
  if (parsed.success) return { change: parsed.data };
  const problems: Problems = {};
  for (const { path, message } of parsed.error.issues) {
    const name = String(path[0]);
    problems[name] ??= name === 'at' ? whenRemedy : `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  }
  return { problems };
}

export function changeFormFields(
  values: ChangeValues,
  problems: Problems,
): Record<keyof ChangeValues, Field> {
  const given = { values, problems };
  const optional = { ...given, optional: true };
  return {
    service: field('service', 'Service', {
      ...optional,
      hint: 'As its alerts name it, such as payment-service',
    }),
    environment: field('environment', 'Environment', { ...optional, hint: 'Such as production' }),
    type: field('type', 'Type', {
      ...given,
      choices: changeTypes.map((value) => ({ value, label: changeTypeNames[value] })),
    }),
    status: field('status', 'State', {
      ...given,
      choices: changeStatuses.map((value) => ({ value, label: changeMarks[value].word })),
    }),
    title: field('title', 'What changed', {
      ...optional,
      hint: 'Such as: raised the connection limit to 500',
    }),
    version: field('version', 'Version', optional),
    previousVersion: field('previousVersion', 'Version before', {
      ...optional,
      hint: 'Empty: that of the last change of the service in this environment',
    }),
    at: field('at', 'When', { ...optional, hint: 'How long ago, such as 15m, or an ISO time; empty: now' }),
    url: field('url', 'Link', { ...optional, hint: 'To the ticket or pipeline' }),
  };
}
