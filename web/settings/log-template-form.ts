import type { Named } from '../../db/named-configuration.ts';
import { logSourceKindNames } from '../../domain/logs/log-source.ts';
import {
  type LogTemplate,
  logTemplate,
  templateKinds,
  templateLanguages,
} from '../../domain/logs/log-template.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';
import { matchText, nameProblem } from './matching.ts';

export interface LogTemplateValues extends Record<string, string> {
  name: string;
  kind: string;
  source: string;
  service: string;
  alert: string;
  query: string;
  /** Number of the incident that a preview is for. */
  incident: string;
}

export const logTemplatesPath = '/settings/log-templates';

export function logTemplateValues(name: string, template: LogTemplate): LogTemplateValues {
  return {
    name,
    kind: template.kind,
    source: template.source ?? '',
    service: template.match.service ?? '',
    alert: template.match.alert ?? '',
    query: template.query,
    incident: '',
  };
}

export function postedLogTemplate(body: unknown): LogTemplateValues {
  return {
    name: posted(body, 'name'),
    kind: posted(body, 'kind') || 'loki',
    source: posted(body, 'source'),
    service: posted(body, 'service'),
    alert: posted(body, 'alert'),
    query: posted(body, 'query'),
    incident: posted(body, 'incident').replace(/^#/, ''),
  };
}

export function readLogTemplate(
  values: LogTemplateValues,
): { definition: LogTemplate } | { problems: Problems } {
  const problems: Problems = {};
  const wrong = nameProblem(values.name);
  if (wrong) problems.name = wrong;
  const parsed = logTemplate.safeParse({
    kind: values.kind,
    ...(values.source ? { source: values.source } : {}),
    match: {
      ...(values.service ? { service: values.service } : {}),
      ...(values.alert ? { alert: values.alert } : {}),
    },
    query: values.query,
  });
  for (const issue of parsed.error?.issues ?? []) {
    const [first = 'query', second] = issue.path.map(String);
    problems[first === 'match' ? (second ?? 'service') : first] ??=
      values.query === '' && first === 'query' ? 'Write a query.' : issue.message;
  }
  return parsed.success && Object.keys(problems).length === 0 ? { definition: parsed.data } : { problems };
}

export interface LogTemplateFormView {
  heading: string;
  action: string;
  deleteAction: string | null;
  name: Field;
  kind: Field;
  source: Field;
  match: Field[];
  query: Field;
  incident: Field;
}

export function logTemplateFormView(
  values: LogTemplateValues,
  problems: Problems,
  given: { existing: boolean; sources: string[] },
): LogTemplateFormView {
  const typed = { values, problems };
  const own = `${logTemplatesPath}/${encodeURIComponent(values.name)}`;
  return {
    heading: given.existing ? values.name : 'New query template',
    action: given.existing ? own : `${logTemplatesPath}/new`,
    deleteAction: given.existing ? `${own}/delete` : null,
    name: field('name', 'Name', {
      ...typed,
      readonly: given.existing,
      hint: 'The first by name that matches is asked',
    }),
    kind: field('kind', 'Written in', {
      ...typed,
      choices: templateKinds.map((kind) => ({
        value: kind,
        label: `${templateLanguages[kind]} (${logSourceKindNames[kind]})`,
      })),
    }),
    source: field('source', 'For the source', {
      ...typed,
      choices: [
        { value: '', label: 'Any of this kind' },
        ...given.sources.map((name) => ({ value: name, label: name })),
      ],
    }),
    match: [
      field('service', 'Service', { ...typed, optional: true, hint: 'Such as checkout or pay-*' }),
      field('alert', 'Alert name', { ...typed, optional: true, hint: 'Such as Payment*' }),
    ],
    query: field('query', 'Query', {
      ...typed,
      rows: 5,
      hint: '{{service}}, {{alert}}, {{host}}, {{pod}}, {{namespace}}, {{instance}} and {{labels.name}} stand for quoted values of the alert',
    }),
    incident: field('incident', 'Try it on incident', {
      ...typed,
      optional: true,
      hint: 'Its number, such as 42',
    }),
  };
}

/** As the list of templates shows it. */
export function templateRow({ name, definition }: Named<LogTemplate>) {
  return {
    name,
    href: `${logTemplatesPath}/${encodeURIComponent(name)}`,
    language: templateLanguages[definition.kind],
    source: definition.source ?? 'any',
    match: matchText(definition.match),
    query: definition.query,
  };
}
