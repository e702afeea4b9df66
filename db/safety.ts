import { type SafetyRules, type SafetyScope, safetyRules } from '../domain/safety/rules.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { UnknownReferenceError } from './policies.ts';

export interface StoredSafetyRules {
  scope: SafetyScope;
  /** '' of the organization. */
  name: string;
  rules: SafetyRules;
  updatedAt: Date;
  updatedBy: string;
}

interface Which {
  orgId: string;
  scope: SafetyScope;
  name: string;
}

/** Widest scope first, then by name. */
export async function listSafetyRules(tx: Tx): Promise<StoredSafetyRules[]> {
  const rows = await stored(tx).execute();
  const order: SafetyScope[] = ['organization', 'team', 'runbook', 'target'];
  return rows
    .map(present)
    .sort((a, b) => order.indexOf(a.scope) - order.indexOf(b.scope) || (a.name < b.name ? -1 : 1));
}

export async function getSafetyRules(
  tx: Tx,
  { scope, name }: Pick<Which, 'scope' | 'name'>,
): Promise<StoredSafetyRules | undefined> {
  const row = await stored(tx).where('scope', '=', scope).where('name', '=', name).executeTakeFirst();
  return row && present(row);
}

/** Makes or replaces the set. Throws UnknownReferenceError for a team that there is not. */
export async function putSafetyRules(
  tx: Tx,
  change: Which & { rules: SafetyRules; actor: string },
): Promise<void> {
  const { orgId, scope, name, rules, actor } = change;
  if (scope === 'team') {
    const team = await tx.selectFrom('teams').select('id').where('slug', '=', name).executeTakeFirst();
    if (!team) throw new UnknownReferenceError('name', `there is no team '${name}'`);
  }
  const before = await getSafetyRules(tx, change);
  const row = { definition: JSON.stringify(rules), updated_by: actor };
  await tx
    .insertInto('safety_rules')
    .values({ org_id: orgId, scope, name, ...row })
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'scope', 'name']).doUpdateSet({ ...row, updated_at: new Date() }),
    )
    .execute();
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'safety-rules.put',
    subject: subjectOf(scope, name),
    data: { before: before?.rules ?? null, after: rules },
  });
}

/** False when there was no such set. */
export async function deleteSafetyRules(tx: Tx, change: Which & { actor: string }): Promise<boolean> {
  const { orgId, scope, name, actor } = change;
  const gone = await tx
    .deleteFrom('safety_rules')
    .where('scope', '=', scope)
    .where('name', '=', name)
    .returning('definition')
    .executeTakeFirst();
  if (!gone) return false;
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'safety-rules.deleted',
    subject: subjectOf(scope, name),
    data: { before: gone.definition },
  });
  return true;
}

function subjectOf(scope: SafetyScope, name: string): string {
  return scope === 'organization' ? 'safety-rules:organization' : `safety-rules:${scope}:${name}`;
}

function stored(tx: Tx) {
  return tx
    .selectFrom('safety_rules')
    .select(['scope', 'name', 'definition', 'updated_at as updatedAt', 'updated_by as updatedBy']);
}

function present({
  definition,
  ...row
}: Omit<StoredSafetyRules, 'rules'> & { definition: object }): StoredSafetyRules {
  return { ...row, rules: safetyRules.parse(definition) };
}
