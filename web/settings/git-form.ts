import { z } from 'zod';
import { parseDuration } from '../../domain/duration.ts';
import {
  environmentName,
  type GitSourceSettings,
  gitBranch,
  gitCredential,
  gitPath,
  gitUrl,
  longestIntervalMs,
  shortestIntervalMs,
} from '../../domain/runbook-import/git-source.ts';
import { type Field, field, type Problems, posted } from '../layout/fields.ts';

export interface GitValues extends Record<string, string> {
  url: string;
  branch: string;
  path: string;
  environment: string;
  credential: string;
  interval: string;
}

export const newGitValues: GitValues = {
  url: '',
  branch: 'main',
  path: '',
  environment: '',
  credential: '',
  interval: '5m',
};

export function gitValues(source: GitSourceSettings & { environment: string }): GitValues {
  return {
    url: source.url,
    branch: source.branch,
    path: source.path,
    environment: source.environment,
    credential: source.credential ?? '',
    interval: intervalText(source.intervalMs),
  };
}

/** In the largest unit that it is a whole number of, so that nothing is lost. */
function intervalText(ms: number): string {
  const units = { d: 86_400_000, h: 3_600_000, m: 60_000 };
  const [unit, unitMs] = Object.entries(units).find(([, each]) => ms % each === 0) ?? ['s', 1000];
  return `${ms / unitMs}${unit}`;
}

export function postedGit(body: unknown): GitValues {
  return {
    url: posted(body, 'url'),
    branch: posted(body, 'branch'),
    path: posted(body, 'path'),
    environment: posted(body, 'environment'),
    credential: posted(body, 'credential'),
    interval: posted(body, 'interval'),
  };
}

const intervalRemedy = 'Write a time between 1m and 1d, such as 5m.';

const form = z.object({
  url: gitUrl,
  branch: gitBranch,
  path: gitPath,
  environment: environmentName,
  credential: z.union([z.literal('').transform(() => null), gitCredential]),
  interval: z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= shortestIntervalMs && ms <= longestIntervalMs) return ms;
    context.addIssue({ code: 'custom', message: intervalRemedy });
    return z.NEVER;
  }),
});

export function readGit(
  values: GitValues,
): { settings: GitSourceSettings; environment: string } | { problems: Problems } {
  const parsed = form.safeParse(values);
  if (parsed.success) {
    const { environment, interval, ...settings } = parsed.data;
    return { settings: { ...settings, intervalMs: interval }, environment };
  }
  const problems: Problems = {};
  for (const issue of parsed.error.issues) {
    const name = String(issue.path[0]);
    const message = deepestMessage(issue);
    problems[name] ??= `${message.charAt(0).toUpperCase()}${message.slice(1)}.`.replace(/\.\.$/, '.');
  }
  return { problems };
}

/** Of a union, what its last choice says: that is the one that something was written for. */
function deepestMessage(issue: z.core.$ZodIssue): string {
  const last = issue.code === 'invalid_union' ? issue.errors.at(-1)?.at(-1) : undefined;
  return last ? deepestMessage(last) : issue.message;
}

export interface GitFormView {
  heading: string;
  action: string;
  backHref: string;
  submit: string;
  deleteAction: string | null;
  fields: Record<'url' | 'branch' | 'path' | 'environment' | 'credential' | 'interval', Field>;
}

export const gitBase = '/settings/git-sources';

/** `id`: of the source that is changed; null for a new one. */
export function gitFormView(values: GitValues, problems: Problems, id: string | null): GitFormView {
  const given = { values, problems };
  const own = `${gitBase}/${id}`;
  return {
    heading: id === null ? 'New Git source' : values.url,
    action: id === null ? `${gitBase}/new` : `${own}/edit`,
    backHref: id === null ? gitBase : own,
    submit: id === null ? 'Add source' : 'Save source',
    deleteAction: id === null ? null : `${own}/delete`,
    fields: {
      url: field('url', 'Repository', {
        ...given,
        hint: 'https://git.example.com/acme/runbooks.git or git@git.example.com:acme/runbooks.git, without a password',
      }),
      branch: field('branch', 'Branch', given),
      path: field('path', 'Folder', {
        ...given,
        optional: true,
        hint: 'In the repository, such as ops/runbooks; its YAML files and those below it',
      }),
      environment: field('environment', 'Environment', {
        ...given,
        optional: true,
        readonly: id !== null,
        hint:
          id === null
            ? 'Such as staging: its runbooks are called staging:… and run for alerts of that environment'
            : 'Stays; add another source for another environment',
      }),
      credential: field('credential', 'Credential', {
        ...given,
        optional: true,
        hint: 'Where the worker finds a token (https) or private key (ssh): env:GIT_TOKEN, file:git-token or ssm:/path. Never the secret itself',
      }),
      interval: field('interval', 'Look every', {
        ...given,
        hint: 'A webhook makes it at once; this makes up for one that was lost',
      }),
    },
  };
}
