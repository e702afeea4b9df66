import type { DeclaredService } from '../../domain/topology/declared.ts';
import { serviceKinds } from '../../domain/topology/service.ts';
import { serviceName } from '../../domain/topology/service-name.ts';
import { field, type Problems, posted } from '../layout/fields.ts';
import { kindChoices } from './words.ts';

export type ServiceValues = Record<'name' | 'kind' | 'team' | 'description' | 'calls', string>;

export const emptyService: ServiceValues = {
  name: '',
  kind: 'service',
  team: '',
  description: '',
  calls: '',
};

export function postedService(body: unknown): ServiceValues {
  return {
    name: posted(body, 'name'),
    kind: posted(body, 'kind'),
    team: posted(body, 'team'),
    description: posted(body, 'description'),
    calls: posted(body, 'calls'),
  };
}

export function readService(
  values: ServiceValues,
): { service: DeclaredService; calls: string[] } | { problems: Problems } {
  const problems: Problems = {};
  if (serviceName(values.name) !== values.name) {
    problems.name = 'Write a name of at most 200 characters, as alerts and traces have it.';
  }
  const kind = serviceKinds.find((known) => known === values.kind);
  if (!kind) problems.kind = 'Choose one of these.';
  if (values.description.length > 2000) problems.description = 'Write at most 2,000 characters.';
  const calls = [...new Set(values.calls.split('\n').map((line) => line.trim()))].filter(
    (line) => line !== '',
  );
  const wrong = calls.find((callee) => serviceName(callee) !== callee || callee === values.name);
  if (wrong !== undefined) {
    problems.calls =
      wrong === values.name ? 'It need not call itself.' : `'${wrong.slice(0, 60)}' is no name of a service.`;
  }
  if (calls.length > 1000) problems.calls = 'Write at most 1,000 names.';
  if (!kind || Object.keys(problems).length > 0) return { problems };
  const { name, description, team } = values;
  return { service: { name, kind, description, team: team === '' ? null : team }, calls };
}

export function serviceFormView(
  values: ServiceValues,
  problems: Problems,
  given: { existing: boolean; declared: boolean; teams: readonly { slug: string; name: string }[] },
) {
  const of = { values, problems };
  const path = `/services/${encodeURIComponent(values.name)}`;
  return {
    heading: given.existing ? values.name : 'Declare a service',
    action: given.existing ? `${path}/edit` : '/topology/declare',
    back: given.existing ? path : '/services',
    deleteAction: given.declared ? `${path}/undeclare` : null,
    fields: {
      name: field('name', 'Name', { ...of, readonly: given.existing, hint: 'As alerts and traces have it.' }),
      kind: field('kind', 'Kind', { ...of, choices: kindChoices }),
      team: field('team', 'Team', {
        ...of,
        choices: [
          { value: '', label: 'Shared' },
          ...given.teams.map(({ slug, name }) => ({ value: slug, label: name })),
        ],
      }),
      description: field('description', 'What it does', { ...of, optional: true, rows: 3 }),
      calls: field('calls', 'It calls', {
        ...of,
        optional: true,
        rows: 6,
        hint: 'One name per line. What traces show comes by itself.',
      }),
    },
  };
}
