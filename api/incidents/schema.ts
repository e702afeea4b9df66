import { z } from 'zod';
import { breachReasons } from '../../domain/breach-reasons.ts';
import { changeVerdicts } from '../../domain/changes/change.ts';
import { parseDuration } from '../../domain/duration.ts';
import {
  alertStatuses,
  approvalStatuses,
  executionStatuses,
  incidentStatuses,
  slaStates,
} from '../../domain/incident-status.ts';
import { severities } from '../../domain/severity.ts';
import { anyOf, instant, pageQuery } from '../endpoint.ts';
import { cause, incidentChange, logs, metric, similarIncident } from './evidence-schema.ts';

export const incidentParams = z.object({
  number: z.coerce.number<string>().int().min(1).max(2_147_483_647),
});

/** An instant, or how long ago it is. */
const since = z
  .string()
  .refine(
    (text) => parseDuration(text) !== undefined || z.iso.datetime({ offset: true }).safeParse(text).success,
    "write an instant such as '2026-01-31T03:00:00Z' or a duration such as '24h'",
  )
  .meta({ description: "Opened at or after: an instant (ISO 8601), or how long ago, such as '24h'" });

export const incidentQuery = z.strictObject({
  status: anyOf(incidentStatuses).optional(),
  severity: anyOf(severities).optional(),
  service: z.string().max(500).optional(),
  since: since.optional(),
  q: z
    .string()
    .max(200)
    .optional()
    .meta({ description: "Beginnings of words of number, title and service; '#42' is that number" }),
  ...pageQuery,
});

const deadline = z.object({ kind: z.string(), at: z.string(), what: z.string() });

const summary = {
  number: z.int(),
  title: z.string(),
  status: z.enum(incidentStatuses),
  severity: z.enum(severities),
  service: z.string().nullable(),
  openedAt: instant,
  lastAlertAt: instant,
  acknowledgedAt: instant.nullable(),
  acknowledgedBy: z.string().nullable(),
  assignedTo: z.string().nullable(),
  snoozedUntil: instant.nullable(),
  silencedUntil: instant
    .nullable()
    .meta({ description: 'Silences catch its alerts: nobody is told until then' }),
  resolvedAt: instant.nullable(),
  resolvedBy: z.string().nullable(),
  alertCount: z.int(),
  firingCount: z.int(),
  deadlines: z.array(deadline).meta({ description: 'Running timers, and what happens at the end of each' }),
  cause: z
    .object({
      service: z.string(),
      confidence: z.number().min(0).max(1),
      by: z.string().nullable().meta({ description: "Who said so; null: Holdfast's own ranking" }),
    })
    .nullable()
    .meta({ description: 'Where the trouble probably comes from' }),
  recordedSeq: z.int().meta({
    description: 'Number of its last event: send it as `asOf` with what is decided by what was seen',
  }),
  mergedInto: z.int().nullable().meta({ description: 'The incident that has its alerts now' }),
};
export const incidentSummary = z.object(summary).meta({ id: 'IncidentSummary' });

export const incidentAlert = z
  .object({
    id: z.int(),
    fingerprint: z.string(),
    name: z.string(),
    status: z.enum(alertStatuses),
    severity: z.enum(severities),
    service: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    generatorUrl: z.string().nullable(),
    startsAt: instant,
    endsAt: instant.nullable(),
    receivedAt: instant,
    lastSeenAt: instant,
    resolvedAt: instant.nullable(),
    occurrences: z.int(),
    correlationReason: z.string().nullable(),
    flapping: z.boolean().meta({ description: 'It fires and resolves so often that a change says nothing' }),
  })
  .meta({ id: 'IncidentAlert' });

export const incidentDetail = z
  .object({
    ...summary,
    closedAt: instant.nullable(),
    truncatedAlerts: z.int().meta({ description: 'Alerts that the sender left out of its messages' }),
    escalationPolicy: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    alerts: z
      .array(incidentAlert)
      .meta({ description: 'The newest 200; the rest at /api/v1/incidents/{number}/alerts' }),
    services: z
      .array(z.object({ service: z.string(), alerts: z.int(), firing: z.int(), firstAt: instant }))
      .meta({ description: 'What its alerts name, the one that failed first first' }),
    logs: logs.nullable(),
    causes: z.array(cause).meta({ description: 'Best first' }),
    notes: z.array(z.string()).meta({ description: 'What could not be looked at' }),
    analysedAt: instant.nullable(),
    metrics: z.array(metric),
    changes: z.array(incidentChange).meta({ description: 'That may be behind it, the likeliest first' }),
    similar: z.array(similarIncident),
    sla: z.array(
      z.object({
        policy: z.string(),
        kind: z.enum(['acknowledge', 'resolve']),
        startedAt: instant,
        atRiskAt: instant,
        dueAt: instant,
        state: z.enum(slaStates),
        endedAt: instant.nullable(),
        pauses: z
          .array(z.object({ from: instant, to: instant }))
          .meta({ description: 'When it does not run, until it is due' }),
        breach: z
          .object({ reason: z.enum(breachReasons), note: z.string().nullable(), by: z.string(), at: instant })
          .nullable()
          .meta({ description: 'Why it was breached, once somebody has said so' }),
      }),
    ),
    executions: z.array(
      z.object({
        id: z.uuid(),
        runbook: z.string(),
        target: z.string(),
        status: z.enum(executionStatuses),
        requestedBy: z.string(),
        createdAt: instant,
        finishedAt: instant.nullable(),
      }),
    ),
    approvals: z.array(
      z.object({
        id: z.uuid(),
        executionId: z.uuid(),
        runbook: z.string(),
        status: z.enum(approvalStatuses),
        expiresAt: instant,
      }),
    ),
    workflowId: z.string(),
    workflowUrl: z.string().nullable().meta({ description: 'Null where no Temporal UI is configured' }),
  })
  .meta({ id: 'Incident' });

export const timelineEntry = z
  .object({
    at: instant,
    kind: z.string(),
    actor: z.string(),
    summary: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TimelineEntry' });

export const timelineQuery = z.strictObject({
  ...pageQuery,
  order: z.enum(['oldest', 'newest']).default('oldest').meta({ description: 'Which end comes first' }),
});

export const alertsQuery = z.strictObject(pageQuery);

const note = z.string().trim().max(10_000);
/** Refused with 409 when it has begun anew since. */
const seen = {
  asOf: z
    .int()
    .min(0)
    .optional()
    .meta({ description: '`recordedSeq` of the incident as it was seen; absent: as it is now' }),
};
export const acknowledgeBody = z.strictObject({ ...seen, note: note.optional() }).optional();
export const resolveBody = z
  .strictObject({
    ...seen,
    note: note.optional(),
    falsePositive: z.boolean().optional().meta({ description: 'It was no incident at all' }),
  })
  .optional();
export const assignBody = z.strictObject({
  to: z.string().trim().min(1).max(320).meta({ description: 'Mail address or name' }),
});
export const noteBody = z.strictObject({ text: note.min(1) });
export const causeBody = z.strictObject({ service: z.string().trim().min(1).max(500) });
export const verdictBody = z.strictObject({
  verdict: z
    .enum(changeVerdicts)
    .meta({ description: 'It was behind the incident, or had nothing to do with it' }),
});
export const changeParams = z.object({
  ...incidentParams.shape,
  change: z.coerce.number<string>().int().min(1).max(Number.MAX_SAFE_INTEGER),
});
export const exportQuery = z.strictObject({
  format: z.enum(['markdown', 'json']).default('markdown'),
});
export const snoozeBody = z
  .strictObject({
    ...seen,
    until: z.iso.datetime({ offset: true }).optional(),
    for: z
      .string()
      .refine((text) => (parseDuration(text) ?? 0) > 0, "write a duration such as '30m' or '4h'")
      .optional(),
  })
  .refine((body) => (body.until === undefined) !== (body.for === undefined), {
    path: ['until'],
    message: "give either 'until' (an instant) or 'for' (a duration such as '30m')",
  });

export const judged = z.object({ number: z.int() });

export const accepted = z
  .object({
    number: z.int(),
    status: z.string(),
    seq: z.int().meta({ description: "The event's number in the incident's workflow" }),
  })
  .meta({ id: 'Accepted', description: 'The workflow accepted it and its record can be read' });

export const breachParams = incidentParams.extend({
  clock: z.enum(['acknowledge', 'resolve']).meta({ description: 'Which clock was breached' }),
});
export const breachBody = z
  .strictObject({ reason: z.enum(breachReasons), note: z.string().trim().max(2000).optional() })
  .refine(({ reason, note }) => reason !== 'other' || Boolean(note), {
    path: ['note'],
    message: 'say what the other reason was',
  })
  .meta({ id: 'BreachReason', description: 'Why a promise was not kept; saying it again replaces it' });
