import { createHash } from 'node:crypto';
import {
  canonical,
  type ImportPlan,
  type ImportSource,
  planImport,
  type Standing,
} from '../domain/oncall-import/plan.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { createUser, listPeople, setMembership } from './identity.ts';
import { getOnCallSchedule, listOnCallSchedules, putOnCallSchedule } from './oncall.ts';
import { listEscalationPolicies, putEscalationPolicy } from './policies.ts';

/**
 * What importing `value`, an export as JSON, would do at `now` (epoch milliseconds), and the hash by which somebody says
 * that they saw just this plan. Throws ImportFormatError.
 */
export async function readImportPlan(
  tx: Tx,
  { source, value, now }: { source: ImportSource; value: unknown; now: number },
): Promise<{ plan: ImportPlan; hash: string }> {
  const plan = planImport(source, value, await readStanding(tx), now);
  return { plan, hash: createHash('sha256').update(canonical(plan)).digest('hex') };
}

/** What an import is planned against. */
async function readStanding(tx: Tx): Promise<Standing> {
  const schedules = await listOnCallSchedules(tx);
  const policies = await listEscalationPolicies(tx);
  const people = await listPeople(tx);
  return {
    schedules: new Map(
      schedules.map(({ name, definition: { team: _, ...definition } }) => [name, definition]),
    ),
    policies: new Map(policies.map(({ name, definition }) => [name, definition])),
    people: new Set(people.map(({ email }) => email.toLowerCase())),
  };
}

/**
 * Does what the plan says, the people first; whoever is new becomes an Operator. What stands so already is not touched;
 * a schedule that is replaced stays its team's.
 */
export async function applyImport(
  tx: Tx,
  { orgId, plan, actor }: { orgId: string; plan: ImportPlan; actor: string },
): Promise<void> {
  for (const { email, name, change } of plan.people) {
    if (change === 'same') continue;
    const userId = await createUser(tx, { orgId, email, name, actor });
    await setMembership(tx, { orgId, userId, teamId: null, role: 'operator', actor });
  }
  for (const { name, definition, change } of plan.schedules) {
    if (change === 'same') continue;
    const team = (await getOnCallSchedule(tx, name))?.definition.team ?? null;
    await putOnCallSchedule(tx, { orgId, name, definition: { ...definition, team }, actor });
  }
  for (const { name, definition, change } of plan.policies) {
    if (change !== 'same') await putEscalationPolicy(tx, { orgId, name, definition, actor });
  }
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'on-call-import.applied',
    subject: `on-call-import:${plan.source}`,
    data: {
      schedules: plan.schedules.map(({ name }) => name),
      policies: plan.policies.map(({ name }) => name),
      people: plan.people.filter(({ change }) => change === 'create').map(({ email }) => email),
      problems: plan.problems.length,
    },
  });
}
