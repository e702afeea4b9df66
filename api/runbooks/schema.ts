import { z } from 'zod';
import { executionStatuses } from '../../domain/incident-status.ts';
import { severities } from '../../domain/severity.ts';
import { instant } from '../endpoint.ts';

export const versionParams = z.object({
  name: z.string().min(1).max(200),
  version: z.coerce.number().int().min(1).max(2_147_483_647),
});

export const diffQuery = z.strictObject({
  from: z.coerce.number().int().min(1).max(2_147_483_647).meta({ description: 'A version' }),
  to: z.coerce.number().int().min(1).max(2_147_483_647).meta({ description: 'Another version' }),
});

export const runbookParams = z.object({ name: z.string().min(1).max(200) });

const run = z.object({
  id: z.uuid(),
  status: z.enum(executionStatuses),
  target: z.string(),
  requestedBy: z.string(),
  incidentNumber: z.int().nullable(),
  createdAt: instant,
  finishedAt: instant.nullable(),
});

const summary = {
  name: z.string(),
  description: z.string(),
  category: z.string().nullable(),
  tags: z.array(z.string()),
  mode: z.enum(['manual', 'semi_auto', 'auto']),
  version: z.int().meta({ description: 'The one in force' }),
  latestVersion: z
    .int()
    .meta({ description: 'The newest good one; another than `version` only while it is pinned' }),
  pinned: z.object({ at: instant, by: z.string() }).nullable(),
  environment: z.string().nullable().meta({ description: 'Of the Git source that it comes from' }),
  gitSource: z.uuid().nullable().meta({ description: 'Null: it comes from the folder' }),
  file: z.string(),
  loadedAt: instant,
  inputs: z.array(
    z.object({
      name: z.string(),
      description: z.string().nullable(),
      required: z.boolean(),
      default: z.string().nullable(),
      secret: z.boolean(),
    }),
  ),
  steps: z.array(z.object({ name: z.string(), type: z.string(), hasRollback: z.boolean() })),
  triggers: z.array(
    z.object({
      alertPattern: z.string(),
      severity: z.array(z.enum(severities)).nullable(),
      minDurationSeconds: z.number(),
      labels: z.record(z.string(), z.string()),
    }),
  ),
  finishedRuns: z.int().meta({ description: 'Of the last 30 days, that had begun' }),
  successRate: z.number().nullable().meta({ description: 'Of the last 30 days, 0 to 1' }),
  lastRun: run.nullable(),
};
export const runbookSummary = z.object(summary).meta({ id: 'RunbookSummary' });

export const runbookDetail = z
  .object({
    ...summary,
    source: z.string(),
    removedAt: instant.nullable().meta({ description: 'Its file is gone: it cannot be run' }),
    versions: z
      .array(
        z.object({
          version: z.int(),
          loadedAt: instant,
          commit: z.string().nullable().meta({ description: 'Null: read from the folder' }),
          author: z.string().nullable(),
          committedAt: instant.nullable(),
          inForce: z.boolean(),
        }),
      )
      .meta({ description: 'Newest first, the last 50' }),
    matchingNow: z
      .array(
        z.object({
          incident: z.int(),
          alert: z.string(),
          receivedAt: instant,
          callsAt: instant.meta({ description: 'When it has fired for as long as the trigger asks' }),
        }),
      )
      .meta({ description: 'Open incidents with a firing alert that its triggers match now' }),
    lastRuns: z.array(run),
  })
  .meta({ id: 'Runbook' });

export const runbookVersion = z
  .object({
    name: z.string(),
    version: z.int(),
    source: z.string(),
    loadedAt: instant,
    commit: z.string().nullable(),
    author: z.string().nullable(),
    committedAt: instant.nullable(),
  })
  .meta({ id: 'RunbookVersion' });

export const runbookDiff = z
  .object({
    name: z.string(),
    from: z.int(),
    to: z.int(),
    unified: z.string().meta({ description: 'As `git diff` prints it' }),
  })
  .meta({ id: 'RunbookDiff' });

export const runbookList = z.object({
  items: z.array(runbookSummary),
  problems: z
    .array(
      z.object({
        file: z.string(),
        line: z.int(),
        col: z.int(),
        message: z.string(),
        foundAt: instant,
      }),
    )
    .meta({ description: 'Files that cannot be read; their last good version stays' }),
});

export const runBody = z
  .strictObject({
    inputs: z.record(z.string(), z.string()).default({}),
    incident: z
      .int()
      .min(1)
      .max(2_147_483_647)
      .optional()
      .meta({ description: 'Number: its alert gives values to inputs, its timeline tells of the run' }),
    environment: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: "Absent: the alert's label `environment` or `env`, or the runbook's own" }),
  })
  .optional();

export const runStarted = z
  .object({
    id: z.uuid().meta({ description: 'Of the execution' }),
    runbook: z.string(),
    target: z.string(),
    status: z.literal('waiting'),
    started: z
      .boolean()
      .meta({ description: 'False while Temporal is away: it is written down and starts when it is back' }),
  })
  .meta({ id: 'RunStarted' });
