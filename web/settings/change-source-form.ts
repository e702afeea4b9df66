import { z } from 'zod';
import {
  type ChangeSource,
  type SourceSettings,
  type WebhookKind,
  webhookKinds,
} from '../../db/change-sources.ts';
import type { Team } from '../../db/teams.ts';
import { changeMapping } from '../../domain/changes/mapping.ts';
import { changeSourceNames } from '../../domain/changes/words.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';

export interface SourceValues extends Record<string, string> {
  kind: WebhookKind;
  name: string;
  /** A slug; '': none. */
  team: string;
  /** One a line, 'acme/shop = payment-service'. */
  services: string;
  environment: string;
  /** One a line. */
  deploys: string;
  /** One a line, 'service = app.name'. */
  fields: string;
}

export const newSourceValues: SourceValues = {
  kind: 'github',
  name: '',
  team: '',
  services: '',
  environment: '',
  deploys: '',
  fields: '',
};

export function sourceValues({ kind, name, team, mapping }: ChangeSource): SourceValues {
  return {
    kind,
    name,
    team: team ?? '',
    services: pairLines(mapping.services),
    environment: mapping.environment ?? '',
    deploys: mapping.deploys.join('\n'),
    fields: pairLines(mapping.fields),
  };
}

const pairLines = (pairs: Record<string, string | undefined>): string =>
  Object.entries(pairs)
    .map(([left, right]) => `${left} = ${right}`)
    .join('\n');

export function postedSource(body: unknown): SourceValues {
  return {
    kind: webhookKinds.find((kind) => kind === posted(body, 'kind')) ?? 'github',
    name: posted(body, 'name'),
    team: posted(body, 'team'),
    services: posted(body, 'services'),
    environment: posted(body, 'environment'),
    deploys: posted(body, 'deploys'),
    fields: posted(body, 'fields'),
  };
}

const pairs = z.string().transform((text, context) => {
  const found: [string, string][] = [];
  for (const line of linesOf(text)) {
    const [, left = '', right = ''] = /^([^=]*[^\s=])\s*=\s*(.+)$/.exec(line) ?? [];
    if (left === '') {
      context.addIssue({
        code: 'custom',
        message: `write 'from = to' on each line, not '${line.slice(0, 60)}'`,
      });
      return z.NEVER;
    }
    found.push([left, right]);
  }
  return Object.fromEntries(found);
});

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const form = z.object({
  name: z.string().min(1, 'write a name').max(100, 'at most 100 characters'),
  team: z.string().transform((slug) => slug || null),
  services: pairs.pipe(changeMapping.shape.services.unwrap()),
  environment: z
    .string()
    .transform((text) => text || null)
    .pipe(changeMapping.shape.environment.unwrap()),
  deploys: z.string().transform(linesOf).pipe(changeMapping.shape.deploys.unwrap()),
  fields: pairs.pipe(changeMapping.shape.fields.unwrap()),
});

export function readSource(values: SourceValues): SourceSettings | { problems: Problems } {
  const parsed = form.safeParse(values);
  if (parsed.success) {
    const { name, team, ...mapping } = parsed.data;
    return { name, team, mapping };
  }
  const problems: Problems = {};
  for (const { path, message, code } of parsed.error.issues) {
    const name = String(path[0]);
    const words =
      name === 'fields' && code === 'invalid_key'
        ? 'on the left, write one of externalId, type, status, service, environment, title, version, previousVersion, author, url, at'
        : message;
    problems[name] ??= `${words.charAt(0).toUpperCase()}${words.slice(1)}.`.replace(/\.\.$/, '.');
  }
  return { problems };
}

export const changeSourcesBase = '/settings/change-sources';

export interface SourceFormView {
  heading: string;
  action: string;
  backHref: string;
  submit: string;
  deleteAction: string | null;
  /** The kind is chosen once, before the rest; empty for a source that is there. */
  kinds: { label: string; href: string; current: boolean }[];
  kind: WebhookKind;
  name: Field;
  more: Field[];
}

const kindWords: Record<WebhookKind, string> = {
  ...changeSourceNames,
  generic: 'Another pipeline',
};

/** `source`: the one that is changed; null for a new one. */
export function sourceFormView(
  values: SourceValues,
  problems: Problems,
  source: Pick<ChangeSource, 'id' | 'name'> | null,
  teams: readonly Pick<Team, 'slug' | 'name'>[],
): SourceFormView {
  const given = { values, problems };
  const optional = { ...given, optional: true };
  const own = `${changeSourcesBase}/${source?.id}`;
  const senders: Record<WebhookKind, string> = {
    github: 'acme/shop = payment-service',
    jenkins: 'deploy-shop = payment-service',
    argocd: 'shop-production = payment-service',
    generic: 'shop = payment-service',
  };
  const services = field('services', 'Services', {
    ...optional,
    rows: 3,
    hint: `One a line, where the sender's name differs from the one in alerts: ${senders[values.kind]}`,
  });
  const team = field('team', 'Team', {
    ...given,
    choices: [
      { value: '', label: 'That of the service' },
      ...teams.map(({ slug, name }) => ({ value: slug, label: name })),
    ],
    hint: 'Whose its changes are: others do not see them',
  });
  const environment = field('environment', 'Environment', {
    ...optional,
    hint: 'Of what says none itself, such as production',
  });
  const deploys = field('deploys', 'What deploys', {
    ...optional,
    rows: 3,
    hint: 'Names of workflows and jobs, * for anything, one a line; empty: those with deploy, release, rollout, publish or promote in their names',
  });
  const fields = field('fields', 'Where the body says what', {
    ...optional,
    rows: 4,
    hint: 'One a line: service = app.name, version = image.tag. What is left out stands under its own name',
  });
  return {
    heading: source === null ? 'New source of changes' : source.name,
    action: source === null ? `${changeSourcesBase}/new` : `${own}/edit`,
    backHref: source === null ? changeSourcesBase : own,
    submit: source === null ? 'Add source' : 'Save source',
    deleteAction: source === null ? null : `${own}/delete`,
    kinds:
      source === null
        ? webhookKinds.map((kind) => ({
            label: kindWords[kind],
            href: `${changeSourcesBase}/new?kind=${kind}`,
            current: kind === values.kind,
          }))
        : [],
    kind: values.kind,
    name: field('name', 'Name', { ...given, hint: `For people, such as ${kindWords[values.kind]} of acme` }),
    more: [
      services,
      environment,
      ...(teams.length > 0 || values.team !== '' ? [team] : []),
      ...(values.kind === 'github' || values.kind === 'jenkins' ? [deploys] : []),
      ...(values.kind === 'generic' ? [fields] : []),
    ],
  };
}

export function kindWord(kind: WebhookKind): string {
  return kindWords[kind];
}
