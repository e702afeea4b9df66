import { sql } from 'kysely';
import {
  type ActiveSilence,
  concerns,
  nextBeginning,
  type Silence,
  type SilenceableAlert,
  silence,
  silencedUntil,
} from '../domain/silences/silence.ts';
import { holdsUntil } from '../domain/weekly-window.ts';
import { recordAudit } from './audit.ts';
import type { Database, Tx } from './database.ts';
import { teamIdOf } from './teams.ts';

export interface StoredSilence {
  id: string;
  team: { id: string; slug: string; name: string } | null;
  /** As it was written, with the end that it has now. */
  definition: Silence;
  startsAt: Date;
  endsAt: Date;
  createdAt: Date;
  createdBy: string;
}

interface Change {
  orgId: string;
  id: string;
  actor: string;
}

const overShown = 100;

/**
 * Until when nobody is to be told of an incident, because silences catch every alert of it that fires (of one without any
 * that fires: every one of its alerts). `now` in epoch milliseconds. Undefined where it is not silenced.
 */
export async function activeSilence(
  tx: Tx,
  incidentId: string,
  now: number,
): Promise<{ until: number; names: string[] } | undefined> {
  const silences = await listActive(tx, new Date(now));
  if (silences.length === 0) return undefined;
  return silencedUntil(silences, await kindsOfAlerts(tx, incidentId, silences), now) ?? undefined;
}

/**
 * Those that are between their start and their end; one that comes back every week may be out of its hours. What this
 * version cannot read silences nobody: the incident that asks for it would page nobody at all.
 */
async function listActive(tx: Tx, now: Date): Promise<ActiveSilence[]> {
  const rows = await silences(tx).where('s.ends_at', '>', now).where('s.starts_at', '<=', now).execute();
  return rows.flatMap((row) => (silence.safeParse(row.definition).success ? [asActive(present(row))] : []));
}

/** Those that are not over, the one that ends first at the top; or else the latest that are, up to 100. */
export async function listSilences(
  tx: Tx,
  { now, over = false }: { now: Date; over?: boolean },
): Promise<StoredSilence[]> {
  const query = over
    ? silences(tx).where('s.ends_at', '<=', now).orderBy('s.ends_at', 'desc').limit(overShown)
    : silences(tx).where('s.ends_at', '>', now).orderBy('s.ends_at');
  return (await query.orderBy('s.id').execute()).map(present);
}

/** Undefined when there is none of this id (a uuid), or none that this scope sees. */
export async function getSilence(tx: Tx, id: string): Promise<StoredSilence | undefined> {
  const row = await silences(tx).where('s.id', '=', id).executeTakeFirst();
  return row && present(row);
}

/** Open incidents that it touches read their feeds anew. Throws UnknownReferenceError for a team that there is not. */
export async function createSilence(
  tx: Tx,
  { orgId, id, silence: written, actor, now }: Change & { silence: Silence; now: Date },
): Promise<void> {
  await tx
    .insertInto('silences')
    .values({
      org_id: orgId,
      id,
      team_id: await teamIdOf(tx, written.team),
      definition: JSON.stringify(written),
      starts_at: written.startsAt,
      ends_at: written.endsAt,
      begins_at: beginningOf(written, now),
      created_by: actor,
    })
    .execute();
  await audit(tx, { orgId, id, actor }, 'created', { after: written });
  await markTouched(tx, written);
}

/**
 * Ends it at `now`; one that has not begun is deleted. Open incidents that it touches read their feeds anew, so that
 * whoever is due is told. False when there is none, or it is over.
 */
export async function endSilence(
  tx: Tx,
  { orgId, id, actor, now }: Change & { now: Date },
): Promise<boolean> {
  const before = await getSilence(tx, id);
  if (!before || before.endsAt <= now) return false;
  if (before.startsAt >= now) {
    await tx.deleteFrom('silences').where('id', '=', id).execute();
    await audit(tx, { orgId, id, actor }, 'deleted', { before: before.definition });
    return true;
  }
  const definition = { ...before.definition, endsAt: now.toISOString() };
  await tx
    .updateTable('silences')
    .set({ ends_at: now, begins_at: null, definition: JSON.stringify(definition) })
    .where('id', '=', id)
    .execute();
  await audit(tx, { orgId, id, actor }, 'ended', { before: before.definition, after: definition });
  await markTouched(tx, before.definition);
  return true;
}

/** When it begins to be silent after `now`. */
function beginningOf({ startsAt, endsAt, weekly }: Silence, now: Date): Date | null {
  const times = { from: Date.parse(startsAt), to: Date.parse(endsAt), weekly: weekly ?? null };
  const next = nextBeginning(times, now.getTime());
  return next === null ? null : new Date(next);
}

/**
 * Silences that begin, of all organizations: open incidents that they touch read their feeds anew. Twice at once does the
 * same once.
 * @returns how many; throws AggregateError of those that could not begin, when the others have
 */
export async function beginSilences(
  db: Pick<Database, 'unscoped' | 'write'>,
  { now, batch }: { now: Date; batch: number },
): Promise<number> {
  const { rows } = await db.unscoped((tx) =>
    sql<{ org_id: string; id: string }>`select * from beginning_silences(${batch})`.execute(tx),
  );
  const errors: unknown[] = [];
  for (const { org_id: orgId, id } of rows) {
    await db.write({ orgId }, (tx) => begin(tx, id, now)).catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} silences could not begin`);
  return rows.length;
}

async function begin(tx: Tx, id: string, now: Date): Promise<void> {
  const stored = await getSilence(tx, id);
  if (!stored) return;
  const { numUpdatedRows } = await tx
    .updateTable('silences')
    .set({ begins_at: beginningOf(stored.definition, now) })
    .where('id', '=', id)
    .where('begins_at', '<=', now)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await markTouched(tx, stored.definition);
}

/**
 * Leaves the feeds of open incidents with an alert that it concerns unread: the dispatcher's sweep tells their workflows
 * within seconds, also after a crash.
 */
async function markTouched(tx: Tx, written: Silence): Promise<void> {
  const touched = await listOpenKinds(tx, [written]);
  const ids = touched.flatMap((kind) => (concerns(written, kind) ? [kind.incidentId] : []));
  if (ids.length === 0) return;
  await sql`
    update incidents set feed_unread = true, feed_owed_by = null, feed_owed_since = coalesce(feed_owed_since, now())
    where id = any (${[...new Set(ids)]}::uuid[]) and closed_at is null`.execute(tx);
}

/** What a silence keeps quiet at a moment. */
export interface Caught {
  /** That fire. */
  alerts: number;
  /** Numbers of the incidents that have them, the newest first. */
  incidents: number[];
}

/** What each silence that is silent at `now` catches of the alerts that fire, by the silence's id. */
export async function listCaught(
  tx: Tx,
  stored: readonly StoredSilence[],
  now: Date,
): Promise<Map<string, Caught>> {
  const silent = stored
    .map((each) => ({ id: each.id, ...asActive(each) }))
    .filter((each) => holdsUntil(each, now.getTime()) !== null);
  if (silent.length === 0) return new Map();
  const kinds = (await listOpenKinds(tx, silent)).filter(({ firing }) => firing > 0);
  return new Map(
    silent.map((each) => {
      const caught = kinds.filter((kind) => concerns(each, kind));
      return [
        each.id,
        {
          alerts: caught.reduce((sum, { firing }) => sum + firing, 0),
          incidents: [...new Set(caught.map(({ number }) => number))].sort((a, b) => b - a),
        },
      ];
    }),
  );
}

/** The alerts of incidents that are not over, by incident, told apart by what these silences look at. */
export async function listOpenKinds(
  tx: Tx,
  silenced: readonly Pick<ActiveSilence, 'match'>[],
): Promise<OpenKind[]> {
  const { rows } = await sql<OpenKind>`
    select i.id as "incidentId", i.number, (count(*) filter (where a.status <> 'resolved'))::int as firing,
      ${kindColumns(silenced)}
    from incidents i join alerts a on a.incident_id = i.id left join teams t on t.id = coalesce(a.team_id, i.team_id)
    where i.closed_at is null and i.resolved_at is null
    group by 1, 2, 4, 5, 6, 7`.execute(tx);
  return rows;
}

async function audit(tx: Tx, { orgId, id, actor }: Change, what: string, data: Record<string, unknown>) {
  await recordAudit(tx, { orgId, actor, action: `silence.${what}`, subject: `silence:${id}`, data });
}

/** Alerts of one kind in one incident. */
export interface OpenKind extends SilenceableAlert {
  incidentId: string;
  number: number;
  firing: number;
}

/**
 * Alerts of one incident that fire (of one without any that fires: all of its alerts). They are told apart only by what
 * silences look at: a storm of one alert on a thousand hosts is one kind.
 */
async function kindsOfAlerts(tx: Tx, incidentId: string, silenced: readonly ActiveSilence[]) {
  const { rows } = await sql<SilenceableAlert>`
    select distinct ${kindColumns(silenced)}
    from incidents i join alerts a on a.incident_id = i.id left join teams t on t.id = coalesce(a.team_id, i.team_id)
    where i.id = ${incidentId} and (a.status <> 'resolved' or not exists (
      select 1 from alerts f where f.incident_id = ${incidentId} and f.status <> 'resolved'))`.execute(tx);
  return rows;
}

/** Of alerts `a` with the teams `t` that they are of (alert-team.ts). */
export function kindColumns(silenced: readonly Pick<ActiveSilence, 'match'>[]) {
  const labels = [...new Set(silenced.flatMap(({ match }) => Object.keys(match.labels ?? {})))];
  return sql`a.name, a.service, t.slug as team,
    coalesce((select jsonb_object_agg(l, a.labels -> l) from unnest(${labels}::text[]) l where a.labels ? l), '{}')
      as labels`;
}

export function asActive({ definition, team, startsAt, endsAt }: StoredSilence): ActiveSilence {
  return {
    match: definition.match,
    from: startsAt.getTime(),
    to: endsAt.getTime(),
    weekly: definition.weekly ?? null,
    team: team?.slug ?? null,
    reason: definition.reason,
  };
}

function silences(tx: Tx) {
  return tx
    .selectFrom('silences as s')
    .leftJoin('teams as t', 't.id', 's.team_id')
    .select([
      's.id',
      's.team_id as teamId',
      't.slug',
      't.name',
      's.definition',
      's.starts_at as startsAt',
      's.ends_at as endsAt',
      's.created_at as createdAt',
      's.created_by as createdBy',
    ]);
}

function present({
  teamId,
  slug,
  name,
  definition,
  ...row
}: Omit<StoredSilence, 'team' | 'definition'> & {
  teamId: string | null;
  slug: string | null;
  name: string | null;
  definition: Record<string, unknown>;
}): StoredSilence {
  return {
    ...row,
    team: teamId === null ? null : { id: teamId, slug: slug ?? '', name: name ?? '' },
    definition: silence.parse(definition),
  };
}
