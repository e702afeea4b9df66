import { z } from 'zod';
import {
  environmentName,
  gitBranch,
  gitCredential,
  gitPath,
  gitUrl,
  longestIntervalMs,
  shortestIntervalMs,
  usualIntervalMs,
} from '../../domain/runbook-import/git-source.ts';
import { instant } from '../endpoint.ts';

export const gitSourceParams = z.object({ id: z.uuid() });

const interval = z
  .int()
  .min(shortestIntervalMs / 1000, 'look at most once a minute')
  .max(longestIntervalMs / 1000, 'look at least once a day')
  .default(usualIntervalMs / 1000)
  .meta({ description: 'Seconds between two looks at the branch; a webhook makes it at once' });

const settings = {
  url: gitUrl.meta({
    description: 'https, http or ssh; without a password',
    example: 'https://git.example.com/a.git',
  }),
  branch: gitBranch.default('main'),
  path: gitPath.default('').meta({ description: 'Folder in the repository; empty: all of it' }),
  credential: gitCredential.nullable().default(null).meta({
    description: "Reference to a password or token (https) or private key (ssh), such as 'env:GIT_TOKEN'",
  }),
  intervalSeconds: interval,
};

export const gitSourceBody = z.strictObject(settings).meta({
  id: 'GitSourceChange',
  description: 'The environment of a source stays; make another source for another',
});

export const newGitSource = z
  .strictObject({
    ...settings,
    environment: environmentName.default('').meta({
      description: "Its runbooks are called 'environment:name' and run for alerts of that environment",
    }),
  })
  .meta({ id: 'NewGitSource' });

const problem = z.object({ file: z.string(), line: z.int(), col: z.int(), message: z.string() });

export const gitImport = z
  .object({
    id: z.uuid(),
    commit: z.string(),
    author: z.string(),
    authorEmail: z.string(),
    committedAt: instant,
    subject: z.string(),
    status: z.enum(['imported', 'refused']),
    problems: z
      .array(problem)
      .meta({ description: 'Of a refused one: nothing of the commit was taken over' }),
    changes: z.object({
      added: z.array(z.string()),
      changed: z.array(z.string()),
      removed: z.array(z.string()),
    }),
    at: instant,
  })
  .meta({ id: 'GitImport' });

const source = {
  id: z.uuid(),
  environment: z.string(),
  url: z.string(),
  branch: z.string(),
  path: z.string(),
  credential: z.string().nullable(),
  intervalSeconds: z.number(),
  webhookUrl: z.string(),
  runbooks: z.int().meta({ description: 'That are there now' }),
  importedCommit: z.string().nullable(),
  importedAt: instant.nullable(),
  checkedCommit: z.string().nullable(),
  checkedAt: instant.nullable(),
  error: z.string().nullable().meta({ description: 'Why the newest look at the branch failed' }),
  lastImport: gitImport.nullable().meta({ description: 'What came of the newest commit' }),
  createdAt: instant,
  createdBy: z.string(),
};
export const gitSource = z.object(source).meta({ id: 'GitSource' });

const webhookSecret = z.string().meta({ description: 'Shown this once' });
export const gitSourceCreated = z.object({ ...source, webhookSecret }).meta({ id: 'GitSourceCreated' });
export const webhookSecretShown = z.object({ webhookUrl: z.string(), webhookSecret });

export const syncAsked = z.object({ id: z.uuid() });

export const webhookAnswer = z.object({
  started: z.boolean().meta({ description: 'Whether a sync was asked for' }),
  reason: z.string(),
});
