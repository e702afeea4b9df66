import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { IncomingAlert } from '../domain/alert.ts';
import { nothingMeasured, resolvedAlerts, type SloState } from '../domain/slo/evaluate.ts';
import { type Slo, slo } from '../domain/slo/slo.ts';
import type { Tx } from './database.ts';
import { recordAlerts } from './intake.ts';
import { type Change, type Named, named, put, remove } from './named-configuration.ts';
import { teamIdOf } from './teams.ts';

/** As it is written: with the team that it belongs to, by slug; null: the whole organization's. */
export type SloSettings = Slo & { team: string | null };

/** An SLO with what was last measured of it. */
export interface StandingSlo extends Named<Slo> {
  /** Name of the team that it belongs to; null: the whole organization's. */
  team: string | null;
  state: SloState;
  /** Null: not looked at yet. */
  measuredAt: Date | null;
}

/** By name. */
export async function listSlos(tx: Tx): Promise<Named<SloSettings>[]> {
  return (await settings(tx).orderBy('name').execute()).map(settingsOf);
}

export async function getSlo(tx: Tx, name: string): Promise<Named<SloSettings> | undefined> {
  const row = await settings(tx).where('name', '=', name).executeTakeFirst();
  return row && settingsOf(row);
}

function settings(tx: Tx) {
  return named(tx, 'slos').select((eb) =>
    eb.selectFrom('teams').select('teams.slug').whereRef('teams.id', '=', 'slos.team_id').as('team'),
  );
}

function settingsOf({ team, ...row }: Named<object> & { team: string | null }): Named<SloSettings> {
  return { ...row, definition: { ...slo.parse(row.definition), team } };
}

export async function hasSlos(tx: Tx): Promise<boolean> {
  return (await tx.selectFrom('slos').select('name').limit(1).executeTakeFirst()) !== undefined;
}

/** Whether there is one that nobody has looked at since `since`. */
export async function hasUnmeasuredSlos(tx: Tx, since: Date): Promise<boolean> {
  const found = await standing(tx)
    .where((eb) => eb.or([eb('t.at', 'is', null), eb('t.at', '<', since)]))
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/**
 * What was measured by another indicator, or over another window, says nothing of the new one: only its alerts stay.
 * Throws UnknownReferenceError for a team that there is not.
 */
export async function putSlo(tx: Tx, change: Change<SloSettings>): Promise<void> {
  const before = await getStandingSlo(tx, change.name);
  const { team, ...definition } = change.definition;
  await put(tx, 'slos', { ...change, definition }, { team_id: await teamIdOf(tx, team) });
  if (!before) return;
  const promised = ({ indicator, windowDays, objectivePercent }: Slo) =>
    JSON.stringify([indicator, windowDays, objectivePercent]);
  if (promised(before.definition) === promised(definition)) return;
  const state: SloState = { ...nothingMeasured, alerts: before.state.alerts };
  await tx
    .updateTable('slo_states')
    .set({ state: JSON.stringify(state) })
    .where('slo', '=', change.name)
    .execute();
  await tx.deleteFrom('slo_points').where('slo', '=', change.name).execute();
}

/** False when there was none. Its alerts that fire are resolved. */
export async function deleteSlo(tx: Tx, change: Omit<Change<never>, 'definition'>): Promise<boolean> {
  const before = await getStandingSlo(tx, change.name);
  if (!before) return false;
  const alerts = resolvedAlerts(change.name, before.definition, before.state, Date.now());
  await recordSloAlerts(tx, { orgId: change.orgId, teamId: before.teamId, alerts });
  return await remove(tx, 'slos', change);
}

/** By name. */
export async function listStandingSlos(tx: Tx): Promise<StandingSlo[]> {
  const rows = await standing(tx).orderBy('s.name').execute();
  return rows.map(presentStanding);
}

export async function getStandingSlo(tx: Tx, name: string): Promise<StandingSlo | undefined> {
  const row = await standing(tx).where('s.name', '=', name).executeTakeFirst();
  return row && presentStanding(row);
}

function standing(tx: Tx) {
  return tx
    .selectFrom('slos as s')
    .leftJoin('slo_states as t', (join) =>
      join.onRef('t.org_id', '=', 's.org_id').onRef('t.slo', '=', 's.name'),
    )
    .leftJoin('teams', 'teams.id', 's.team_id')
    .select([
      's.name',
      's.team_id as teamId',
      's.definition',
      's.updated_at as updatedAt',
      't.state',
      't.at as measuredAt',
      'teams.name as team',
    ]);
}

type StandingRow = Awaited<ReturnType<ReturnType<typeof standing>['executeTakeFirstOrThrow']>>;

function presentStanding({ definition, state, ...row }: StandingRow): StandingSlo {
  return {
    ...row,
    definition: slo.parse(definition),
    // written by Holdfast alone; an older one may have known less
    state: { ...nothingMeasured, ...(state as Partial<SloState> | null) },
  };
}

export interface SloLook {
  orgId: string;
  slo: string;
  /** As the definition was when it was looked at. */
  updatedAt: Date;
  state: SloState;
  at: Date;
  alerts: IncomingAlert[];
}

/** Writes what was found, and takes its alerts in; false where the SLO has been changed or deleted meanwhile. */
export async function saveSloLook(tx: Tx, look: SloLook): Promise<boolean> {
  const current = await tx
    .selectFrom('slos')
    .select('team_id as teamId')
    .where('name', '=', look.slo)
    // a Date has no microseconds
    .where(sql<Date>`date_trunc('milliseconds', updated_at)`, '=', look.updatedAt)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!current) return false;
  const state = JSON.stringify(look.state);
  await tx
    .insertInto('slo_states')
    .values({ org_id: look.orgId, slo: look.slo, at: look.at, state })
    .onConflict((conflict) => conflict.columns(['org_id', 'slo']).doUpdateSet({ at: look.at, state }))
    .execute();
  if (look.state.problem === null) await savePoint(tx, look);
  await recordSloAlerts(tx, { ...look, teamId: current.teamId });
  return true;
}

/** The longest window that an objective can have: older points are never drawn. */
const pointDays = 90;

/** The latest look of an hour is its point; with the first of an hour go those that are too old. */
async function savePoint(tx: Tx, look: SloLook): Promise<void> {
  const { budgetLeft, burnRate } = look.state;
  if (budgetLeft === null) return;
  const { rows } = await sql<{ first: boolean }>`
    insert into slo_points (org_id, slo, at, budget_left, burn_rate)
    values (${look.orgId}, ${look.slo}, date_trunc('hour', ${look.at}::timestamptz), ${budgetLeft}, ${burnRate ?? 0})
    on conflict (org_id, slo, at) do update set
      budget_left = excluded.budget_left, burn_rate = excluded.burn_rate
    returning xmax = 0 as first`.execute(tx);
  if (!rows[0]?.first) return;
  const oldest = new Date(look.at.getTime() - pointDays * 86_400_000);
  await tx.deleteFrom('slo_points').where('slo', '=', look.slo).where('at', '<', oldest).execute();
}

export interface SloPoint {
  at: Date;
  budgetLeft: number;
  burnRate: number;
}

/** Oldest first, one an hour. */
export async function listSloPoints(tx: Tx, name: string, since: Date): Promise<SloPoint[]> {
  return await tx
    .selectFrom('slo_points')
    .select(['at', 'budget_left as budgetLeft', 'burn_rate as burnRate'])
    .where('slo', '=', name)
    .where('at', '>=', since)
    .orderBy('at')
    .execute();
}

/** Holdfast sends them to itself, by an integration of its own whose key nobody has. */
const integrationName = 'Holdfast SLOs';
/** A firing one is told again every 20 minutes (domain/slo/evaluate.ts). */
const resendIntervalMs = 3_600_000;

async function recordSloAlerts(
  tx: Tx,
  { orgId, teamId, alerts }: { orgId: string; teamId: string | null; alerts: IncomingAlert[] },
) {
  if (alerts.length === 0) return;
  const integration = await tx
    .insertInto('integrations')
    .values({
      org_id: orgId,
      kind: 'slo',
      name: integrationName,
      key_hash: randomBytes(32),
      resend_interval_ms: resendIntervalMs,
    })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'name']).doUpdateSet({ last_seen_at: sql<Date>`now()` }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  await recordAlerts(tx, { orgId, integrationId: integration.id, teamId, alerts });
}
