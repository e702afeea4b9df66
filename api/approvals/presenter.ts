import type { z } from 'zod';
import type { ApprovalRecord } from '../../db/approvals.ts';
import { iso, isoOrNull } from '../endpoint.ts';
import type { approval } from './schema.ts';

export function presentApproval(record: ApprovalRecord): z.input<typeof approval> {
  return {
    id: record.id,
    executionId: record.executionId,
    runbook: record.runbook,
    target: record.target,
    inputs: record.inputs,
    incident: record.incident,
    requestedBy: record.requestedBy,
    requestedAt: iso(record.requestedAt),
    expiresAt: iso(record.expiresAt),
    required: record.required,
    status: record.status,
    decidedAt: isoOrNull(record.decidedAt),
    reason: record.reason,
    stepIndex: record.stepIndex,
    message: record.message,
    role: record.role,
    teams: record.teams,
    notRequester: record.notRequester,
    onTimeout: record.onTimeout,
    level: record.level,
    votes: record.votes,
  };
}
