import type { MaintenanceWindow } from '../domain/safety/maintenance-window.ts';
import type { Recurring, WeeklyWindow } from '../domain/weekly-window.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { teamIdOf } from './teams.ts';

export interface StoredMaintenanceWindow {
  id: string;
  team: { id: string; slug: string; name: string } | null;
  target: string;
  startsAt: Date;
  endsAt: Date;
  /** Null: all the while between start and end. */
  weekly: WeeklyWindow | null;
  reason: string;
  createdAt: Date;
  createdBy: string;
}

interface Change {
  orgId: string;
  id: string;
  actor: string;
}

/** Those that are not over, the next to begin first. */
export async function listMaintenanceWindows(tx: Tx, now: Date): Promise<StoredMaintenanceWindow[]> {
  const rows = await windows(tx)
    .where('m.ends_at', '>', now)
    .orderBy('m.starts_at')
    .orderBy('m.id')
    .execute();
  return rows.map(present);
}

/** Undefined when there is none of this id (a uuid), or none that this scope sees. */
export async function getMaintenanceWindow(tx: Tx, id: string): Promise<StoredMaintenanceWindow | undefined> {
  const row = await windows(tx).where('m.id', '=', id).executeTakeFirst();
  return row && present(row);
}

/** Throws UnknownReferenceError for a team that there is not. */
export async function createMaintenanceWindow(
  tx: Tx,
  { orgId, id, window, actor }: Change & { window: MaintenanceWindow },
): Promise<void> {
  await tx
    .insertInto('maintenance_windows')
    .values({ org_id: orgId, id, created_by: actor, ...(await columnsOf(tx, window)) })
    .execute();
  await audit(tx, { orgId, id, actor }, 'created', { after: window });
}

/** False when there is no such window. Throws UnknownReferenceError for a team that there is not. */
export async function updateMaintenanceWindow(
  tx: Tx,
  { orgId, id, window, actor }: Change & { window: MaintenanceWindow },
): Promise<boolean> {
  const before = await getMaintenanceWindow(tx, id);
  if (!before) return false;
  await tx
    .updateTable('maintenance_windows')
    .set(await columnsOf(tx, window))
    .where('id', '=', id)
    .execute();
  await audit(tx, { orgId, id, actor }, 'put', { before: { ...before }, after: window });
  return true;
}

/** False when there is no such window. */
export async function deleteMaintenanceWindow(tx: Tx, { orgId, id, actor }: Change): Promise<boolean> {
  const before = await getMaintenanceWindow(tx, id);
  if (!before) return false;
  await tx.deleteFrom('maintenance_windows').where('id', '=', id).execute();
  await audit(tx, { orgId, id, actor }, 'deleted', { before: { ...before } });
  return true;
}

export function asRecurring({ startsAt, endsAt, weekly }: StoredMaintenanceWindow): Recurring {
  return { from: startsAt.getTime(), to: endsAt.getTime(), weekly };
}

async function columnsOf(tx: Tx, window: MaintenanceWindow) {
  const { target, startsAt, endsAt, weekly, reason, team } = window;
  return {
    target,
    starts_at: startsAt,
    ends_at: endsAt,
    weekly: weekly ? JSON.stringify(weekly) : null,
    reason,
    team_id: await teamIdOf(tx, team),
  };
}

async function audit(tx: Tx, { orgId, id, actor }: Change, what: string, data: Record<string, unknown>) {
  const subject = `maintenance-window:${id}`;
  await recordAudit(tx, { orgId, actor, action: `maintenance-window.${what}`, subject, data });
}

function windows(tx: Tx) {
  return tx
    .selectFrom('maintenance_windows as m')
    .leftJoin('teams as t', 't.id', 'm.team_id')
    .select([
      'm.id',
      'm.team_id as teamId',
      't.slug',
      't.name',
      'm.target',
      'm.starts_at as startsAt',
      'm.ends_at as endsAt',
      'm.weekly',
      'm.reason',
      'm.created_at as createdAt',
      'm.created_by as createdBy',
    ]);
}

function present({
  teamId,
  slug,
  name,
  ...row
}: Omit<StoredMaintenanceWindow, 'team'> & {
  teamId: string | null;
  slug: string | null;
  name: string | null;
}): StoredMaintenanceWindow {
  return { ...row, team: teamId === null ? null : { id: teamId, slug: slug ?? '', name: name ?? '' } };
}
