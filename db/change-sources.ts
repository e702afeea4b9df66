import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { storedMapping } from '../domain/changes/mapping.ts';
import type { ChangeMapping } from '../domain/changes/report.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { storable } from './storable.ts';
import { teamIdOf } from './teams.ts';

/** Who may tell of changes by a webhook. */
export const webhookKinds = ['github', 'jenkins', 'argocd', 'generic'] as const;
export type WebhookKind = (typeof webhookKinds)[number];

export interface ChangeSource {
  id: string;
  /** Slug of the team whose its changes are; null: each is the team's that owns its service. */
  team: string | null;
  kind: WebhookKind;
  name: string;
  mapping: ChangeMapping;
  createdAt: Date;
  /** When a message of it was last taken. */
  lastSeenAt: Date | null;
  /** Of the last 30 days. */
  changes: number;
}

/** Another source has this name. */
export class SourceNameTakenError extends Error {
  override name = 'SourceNameTakenError';
}

const countedDays = 30;

/** Opens the source's webhook: what the sender signs with or sends. */
const newSecret = (): string => randomBytes(32).toString('hex');

/** By name; without those that were removed. */
export async function listChangeSources(tx: Tx): Promise<ChangeSource[]> {
  const rows = await present(tx).orderBy('s.name').execute();
  return rows.map(toSource);
}

export async function getChangeSource(tx: Tx, id: string): Promise<ChangeSource | undefined> {
  const row = await present(tx).where('s.id', '=', id).executeTakeFirst();
  return row && toSource(row);
}

function present(tx: Tx) {
  return tx
    .selectFrom('change_sources as s')
    .leftJoin(
      (query) =>
        query
          .selectFrom('changes')
          .select(['source_id', (count) => count.fn.countAll<number>().as('changes')])
          .where('at', '>', sql<Date>`now() - make_interval(days => ${countedDays})`)
          .where('source_id', 'is not', null)
          .groupBy('source_id')
          .as('told'),
      (join) => join.onRef('told.source_id', '=', 's.id'),
    )
    .leftJoin('teams', 'teams.id', 's.team_id')
    .select([
      's.id',
      'teams.slug as team',
      's.kind',
      's.name',
      's.mapping',
      's.created_at as createdAt',
      's.last_seen_at as lastSeenAt',
      'told.changes',
    ])
    .where('s.removed_at', 'is', null);
}

type Row = Omit<ChangeSource, 'mapping' | 'changes'> & {
  mapping: Record<string, unknown>;
  changes: number | null;
};

const toSource = (row: Row): ChangeSource => ({
  ...row,
  mapping: storedMapping(row.mapping),
  changes: row.changes ?? 0,
});

/** What people decide of a source. `team`: a slug. */
export interface SourceSettings {
  name: string;
  team: string | null;
  mapping: ChangeMapping;
}

/** Shows the secret, this once. Throws SourceNameTakenError, and UnknownReferenceError where there is no such team. */
export async function createChangeSource(
  tx: Tx,
  args: SourceSettings & { orgId: string; kind: WebhookKind; actor: string },
): Promise<{ id: string; secret: string }> {
  const { orgId, kind, team, actor } = args;
  const name = storable(args.name);
  const teamId = await teamIdOf(tx, team);
  const secret = newSecret();
  const row = await tx
    .insertInto('change_sources')
    .values({
      org_id: orgId,
      team_id: teamId,
      kind,
      name,
      secret,
      mapping: JSON.stringify(storable(args.mapping)),
    })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'name']).where('removed_at', 'is', null).doNothing(),
    )
    .returning('id')
    .executeTakeFirst();
  if (!row) throw nameTaken(name);
  await audit(tx, { orgId, id: row.id, action: 'created', actor, data: { kind, name, team } });
  return { id: row.id, secret };
}

/**
 * For what it sends from then on. False when there is no such source. Throws SourceNameTakenError, and
 * UnknownReferenceError where there is no such team.
 */
export async function changeChangeSource(
  tx: Tx,
  args: SourceSettings & { orgId: string; id: string; actor: string },
): Promise<boolean> {
  const { orgId, id, team, actor } = args;
  const teamId = await teamIdOf(tx, team);
  const { name, mapping } = storable({ name: args.name, mapping: args.mapping });
  const other = await tx
    .selectFrom('change_sources')
    .select('id')
    .where('name', '=', name)
    .where('id', '<>', id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (other) throw nameTaken(name);
  const changed = await tx
    .updateTable('change_sources')
    .set({ name, team_id: teamId, mapping: JSON.stringify(mapping) })
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) return false;
  await audit(tx, { orgId, id, action: 'changed', actor, data: { name, team, mapping: { ...mapping } } });
  return true;
}

/** Its changes stay. False when there is no such source. */
export async function removeChangeSource(
  tx: Tx,
  args: { orgId: string; id: string; actor: string },
): Promise<boolean> {
  const removed = await tx
    .updateTable('change_sources')
    .set({ removed_at: sql<Date>`now()` })
    .where('id', '=', args.id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (removed.numUpdatedRows === 0n) return false;
  await audit(tx, { ...args, action: 'removed', data: {} });
  return true;
}

/** The new secret, shown this once; the old one opens nothing any more. Undefined when there is no such source. */
export async function rotateChangeSourceSecret(
  tx: Tx,
  args: { orgId: string; id: string; actor: string },
): Promise<string | undefined> {
  const secret = newSecret();
  const changed = await tx
    .updateTable('change_sources')
    .set({ secret })
    .where('id', '=', args.id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) return undefined;
  await audit(tx, { ...args, action: 'secret_rotated', data: {} });
  return secret;
}

/** A source as its webhook knows it. */
export interface WebhookSource {
  orgId: string;
  teamId: string | null;
  kind: WebhookKind;
  secret: string;
  mapping: ChangeMapping;
}

/** Before the organization is known: whose source a webhook's address names, what opens it and how it is read. */
export async function findChangeSource(tx: Tx, id: string): Promise<WebhookSource | undefined> {
  const { rows } = await sql<Omit<WebhookSource, 'mapping'> & { mapping: Record<string, unknown> }>`
    select org_id as "orgId", team_id as "teamId", kind, secret, mapping from find_change_source(${id}::uuid)`.execute(
    tx,
  );
  const row = rows[0];
  return row && { ...row, mapping: storedMapping(row.mapping) };
}

/** A message with the right secret arrived. False when the source was removed meanwhile. */
export async function noteSourceSpoke(tx: Tx, id: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('change_sources')
    .set({ last_seen_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

const nameTaken = (name: string) =>
  new SourceNameTakenError(`there is a source called ${name} already: choose another name`);

async function audit(
  tx: Tx,
  entry: { orgId: string; id: string; action: string; actor: string; data: Record<string, unknown> },
): Promise<void> {
  await recordAudit(tx, {
    orgId: entry.orgId,
    actor: entry.actor,
    action: `change-source.${entry.action}`,
    subject: `change-source:${entry.id}`,
    data: entry.data,
  });
}
