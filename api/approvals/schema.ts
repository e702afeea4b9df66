import { z } from 'zod';
import { approvalStatuses } from '../../domain/incident-status.ts';
import { roles } from '../../domain/roles.ts';
import { severities } from '../../domain/severity.ts';
import { anyOf, instant, pageQuery } from '../endpoint.ts';

export const approvalParams = z.object({ id: z.uuid('write the id of an approval') });

export const approvalQuery = z.strictObject({ status: anyOf(approvalStatuses).optional(), ...pageQuery });

export const approval = z
  .object({
    id: z.uuid(),
    executionId: z.uuid(),
    runbook: z.string(),
    target: z.string(),
    inputs: z.record(z.string(), z.string()),
    incident: z
      .object({
        number: z.int(),
        title: z.string(),
        severity: z.enum(severities),
        service: z.string().nullable(),
      })
      .nullable(),
    requestedBy: z.string(),
    requestedAt: instant,
    expiresAt: instant,
    required: z.int().meta({ description: 'Votes that it takes' }),
    status: z.enum(approvalStatuses),
    decidedAt: instant.nullable(),
    reason: z.string().nullable(),
    stepIndex: z.int().nullable().meta({ description: 'The step that asks, from 0; null: before the first' }),
    message: z.string().meta({ description: "What the step asks; '' before the first" }),
    role: z.enum(roles).meta({ description: 'The least role that may vote' }),
    teams: z.array(z.string()).meta({ description: 'Teams whose members may vote; none: everybody' }),
    notRequester: z.boolean().meta({ description: 'Whether who asked for the execution may not approve' }),
    onTimeout: z.enum(['expire', 'escalate']),
    level: z.int().meta({ description: 'Levels of the escalation policy that were asked so far' }),
    votes: z.array(
      z.object({
        person: z.string(),
        decision: z.enum(['approve', 'reject']),
        via: z.string(),
        reason: z.string().nullable(),
        at: z.string(),
      }),
    ),
  })
  .meta({ id: 'Approval' });

export const voteBody = z.strictObject({ reason: z.string().trim().max(2000).optional() }).optional();

export const voteAccepted = z
  .object({ id: z.uuid(), status: z.string(), seq: z.int() })
  .meta({ id: 'VoteAccepted', description: "`status` is the execution's" });
