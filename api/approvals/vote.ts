import { type ApprovalRecord, getApproval } from '../../db/approvals.ts';
import { ClosedError, type MessageClient } from '../../workflows/messages-client.ts';
import { assertRole, type Principal, scopeOf, voterOf } from '../auth/principal.ts';
import { type Reader, withoutUndefined } from '../endpoint.ts';
import { ConflictError, NotFoundError } from '../errors.ts';

/** Throws NotFoundError for what the person does not see. */
export async function seenApproval(db: Reader, principal: Principal, id: string): Promise<ApprovalRecord> {
  const record = await db.read(scopeOf(principal), (tx) => getApproval(tx, id));
  if (!record) throw new NotFoundError(`approval ${id}`);
  return record;
}

/**
 * In the person's name, with their role and teams. Throws as `seenApproval`, ForbiddenError where they may not vote,
 * ConflictError for what was decided, RefusedError, TemporalUnavailableError.
 */
export async function vote(
  { db, messages }: { db: Reader; messages: MessageClient },
  decision: 'approve' | 'reject',
  principal: Principal,
  id: string,
  reason: string | undefined,
) {
  const record = await seenApproval(db, principal, id);
  assertRole(principal, 'operator', record.teamId);
  try {
    const args = {
      actor: voterOf(principal, record.teamId),
      approvalId: id,
      ...withoutUndefined({ reason }),
    };
    const answer = await messages[decision](principal.orgId, record.executionId, args);
    return { id, status: answer.status, seq: answer.seq };
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
    throw new ConflictError(howItEnded(await seenApproval(db, principal, id)), error);
  }
}

function howItEnded(record: ApprovalRecord): string {
  if (record.status === 'pending') return 'the execution is not being worked on yet: try again in a moment';
  const at = record.decidedAt ? ` at ${record.decidedAt.toISOString()}` : '';
  return `the approval was ${record.status} already${at}${record.reason ? `: ${record.reason}` : ''}`;
}
