import { z } from 'zod';
import { changeVerdicts } from '../../domain/changes/change.ts';
import { executionStatuses, incidentStatuses } from '../../domain/incident-status.ts';
import { changeFields } from '../changes/schema.ts';
import { instant } from '../endpoint.ts';

/** What proves an incident, as its JSON carries it. */
export const logs = z
  .object({
    source: z.string(),
    query: z.record(z.string(), z.unknown()),
    link: z.string().nullable(),
    total: z.int(),
    patterns: z.array(
      z.object({
        template: z.string(),
        count: z.int(),
        level: z.string(),
        firstAt: z.string(),
        lastAt: z.string(),
        sample: z.string(),
        isNew: z.boolean(),
        before: z.number().nullable().meta({
          description: 'How many there would be by the hour before; null: not known',
        }),
      }),
    ),
    stackTraces: z.array(
      z.object({
        language: z.string(),
        exception: z.string(),
        message: z.string(),
        cause: z.unknown(),
        file: z.string().nullable(),
        line: z.int().nullable(),
        function: z.string().nullable(),
        service: z.string().nullable(),
        count: z.int(),
        firstAt: z.string(),
        lastAt: z.string(),
        sample: z.string(),
        isNew: z.boolean(),
      }),
    ),
    lines: z
      .array(
        z.object({
          at: z.string(),
          level: z.string(),
          service: z.string().nullable(),
          host: z.string().nullable(),
          message: z.string(),
          isNew: z.boolean(),
        }),
      )
      .meta({ description: 'Most relevant first' }),
    error: z.string().nullable().meta({ description: 'Why the last look at the log source failed' }),
    retryAt: instant.nullable().meta({ description: 'When a source that failed is asked again' }),
    fetchedAt: instant,
  })
  .meta({ id: 'IncidentLogs' });

const share = z.number().min(0).max(1);

export const cause = z
  .object({
    service: z.string(),
    score: z.number(),
    confidence: share,
    reasons: z.array(z.string()).meta({ description: 'The weightiest first' }),
  })
  .meta({ id: 'Cause' });

export const metric = z
  .object({
    title: z.string(),
    expression: z.string().meta({ description: 'PromQL' }),
    service: z.string().nullable(),
    unit: z.string().nullable(),
    series: z.array(
      z.object({
        name: z.string(),
        points: z.array(z.tuple([z.number(), z.number()])).meta({ description: '[unix seconds, value]' }),
      }),
    ),
    threshold: z.number().nullable(),
    link: z.string().nullable(),
  })
  .meta({ id: 'IncidentMetric' });

export const incidentChange = z
  .object({
    ...changeFields,
    score: share,
    reasons: z.array(z.string()),
    verdict: z.enum(changeVerdicts).nullable(),
    judgedBy: z.string().nullable(),
    judgedAt: instant.nullable(),
  })
  .meta({ id: 'IncidentChange' });

export const similarIncident = z
  .object({
    number: z.int(),
    title: z.string(),
    score: share,
    reasons: z.array(z.string()).meta({ description: 'What they share' }),
    status: z.enum(incidentStatuses),
    service: z.string().nullable(),
    openedAt: instant,
    resolvedAt: instant.nullable(),
    resolvedBy: z.string().nullable(),
    cause: z.string().nullable(),
    executions: z.array(z.object({ id: z.uuid(), runbook: z.string(), status: z.enum(executionStatuses) })),
  })
  .meta({ id: 'SimilarIncident' });
