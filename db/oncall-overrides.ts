import { sql } from 'kysely';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { requirePeople } from './oncall.ts';
import { InUseError } from './policies.ts';

/** Somebody is on call for a time instead of another, or of everybody. */
export interface OnCallOverride {
  id: string;
  schedule: string;
  /** Mail address. */
  person: string;
  /** Whose shifts are taken over; null: everybody's. */
  insteadOf: string | null;
  startsAt: Date;
  endsAt: Date;
  reason: string;
  createdBy: string;
  createdAt: Date;
}

export type NewOverride = Pick<OnCallOverride, 'person' | 'insteadOf' | 'startsAt' | 'endsAt' | 'reason'>;

/** That are not over, of one schedule: more are a rotation. */
const mostOverrides = 200;

const columns = [
  'id',
  'schedule',
  'person',
  'instead_of as insteadOf',
  'starts_at as startsAt',
  'ends_at as endsAt',
  'reason',
  'created_by as createdBy',
  'created_at as createdAt',
] as const;

/** Those of a schedule that are not over at `now`, the next to begin first. */
export async function listOverrides(
  tx: Tx,
  { schedule, now }: { schedule: string; now: Date },
): Promise<OnCallOverride[]> {
  return await tx
    .selectFrom('on_call_overrides')
    .select(columns)
    .where('schedule', '=', schedule)
    .where('ends_at', '>', now)
    .orderBy('starts_at')
    .orderBy('id')
    .execute();
}

/**
 * Of two at the same time the one that was made later counts. The schedule must exist. Throws UnknownReferenceError
 * for somebody who is no user, and InUseError where the schedule has too many already.
 */
export async function createOverride(
  tx: Tx,
  args: { orgId: string; schedule: string; override: NewOverride; actor: string; now: Date },
): Promise<OnCallOverride> {
  const { orgId, schedule, override, actor, now } = args;
  const { person, insteadOf, startsAt, endsAt, reason } = override;
  await requirePeople(tx, [
    { address: person, field: 'person' },
    ...(insteadOf === null ? [] : [{ address: insteadOf, field: 'insteadOf' }]),
  ]);
  if ((await listOverrides(tx, { schedule, now })).length >= mostOverrides) {
    throw new InUseError(`the schedule has ${mostOverrides} overrides already: change its rotations instead`);
  }
  const made = await tx
    .insertInto('on_call_overrides')
    .values({
      org_id: orgId,
      schedule,
      person: person.toLowerCase(),
      instead_of: insteadOf?.toLowerCase() ?? null,
      starts_at: startsAt,
      ends_at: endsAt,
      reason,
      created_by: actor,
      // of two in one transaction one is the later
      created_at: sql<Date>`clock_timestamp()`,
    })
    .returning(columns)
    .executeTakeFirstOrThrow();
  await audit(tx, { orgId, actor, override: made, what: 'created' });
  return made;
}

/**
 * One that has begun ends at `now`, so that the past stays as it was; one that has not is deleted. False when the
 * schedule has none of this id that is not over.
 */
export async function endOverride(
  tx: Tx,
  args: { orgId: string; schedule: string; id: string; actor: string; now: Date },
): Promise<boolean> {
  const { orgId, schedule, id, actor, now } = args;
  const override = await tx
    .selectFrom('on_call_overrides')
    .select(columns)
    .where('schedule', '=', schedule)
    .where('id', '=', id)
    .where('ends_at', '>', now)
    .forUpdate()
    .executeTakeFirst();
  if (!override) return false;
  if (override.startsAt < now) {
    await tx.updateTable('on_call_overrides').set({ ends_at: now }).where('id', '=', id).execute();
    await audit(tx, { orgId, actor, override, what: 'ended' });
  } else {
    await tx.deleteFrom('on_call_overrides').where('id', '=', id).execute();
    await audit(tx, { orgId, actor, override, what: 'deleted' });
  }
  return true;
}

async function audit(
  tx: Tx,
  args: { orgId: string; actor: string; override: OnCallOverride; what: string },
): Promise<void> {
  const { id, schedule, person, insteadOf, startsAt, endsAt, reason } = args.override;
  await recordAudit(tx, {
    orgId: args.orgId,
    actor: args.actor,
    action: `on-call-override.${args.what}`,
    subject: `on-call-schedule:${schedule}`,
    data: { id, person, insteadOf, startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString(), reason },
  });
}
