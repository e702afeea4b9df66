import { z } from 'zod';
import { executionStatuses } from '../../domain/incident-status.ts';
import { severities } from '../../domain/severity.ts';
import { instant } from '../endpoint.ts';

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
  version: z.int(),
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
  successRate: z.number().nullable().meta({ description: 'Of the last 30 days, 0 to 1' }),
  lastRun: run.nullable(),
};
export const runbookSummary = z.object(summary).meta({ id: 'RunbookSummary' });

export const runbookDetail = z
  .object({
    ...summary,
    source: z.string(),
    removedAt: instant.nullable().meta({ description: 'Its file is gone: it cannot be run' }),
    versions: z.array(z.object({ version: z.int(), loadedAt: instant })),
    lastRuns: z.array(run),
  })
  .meta({ id: 'Runbook' });

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
