import { ImportFormatError } from '../domain/oncall-import/imported.ts';
import {
  canonical,
  type ImportPlan,
  type ImportSource,
  type Standing,
} from '../domain/oncall-import/plan.ts';
import { recordAudit } from './audit.ts';
import type { Database, Scope, Tx } from './database.ts';
import { createUser, listPeople, setMembership } from './identity.ts';
import { getOnCallSchedule, listOnCallSchedules, putOnCallSchedule } from './oncall.ts';
import type { ExportToPlan, PlannedExport } from './oncall-import-thread.ts';
import { listEscalationPolicies, putEscalationPolicy } from './policies.ts';
import { createPreviewThread } from './preview-thread.ts';

export interface PlannedOnCall {
  plan: ImportPlan;
  /** By which somebody says that they saw just this plan. */
  hash: string;
  /** Whether what it was planned against still stands. */
  stillHolds(tx: Tx): Promise<boolean>;
}

/**
 * Plans imports in a thread of its own: an export of 10 MB takes a second or more. What is planned is what importing
 * `value`, an export as JSON, would do at `now` (epoch milliseconds). Throws ImportFormatError, NotTriedError.
 */
export function createImportPlanner(db: Pick<Database, 'read'>) {
  const planned = createPreviewThread<ExportToPlan, PlannedExport>({
    file: new URL('./oncall-import-thread.ts', import.meta.url),
    messages: {
      busy: 'Other imports are being planned: try again in some seconds.',
      tooMuch: 'Planning this import takes too long: import fewer schedules and policies at once.',
    },
  });

  return async (
    scope: Scope,
    { source, value, now }: { source: ImportSource; value: unknown; now: number },
    left: AbortSignal,
  ): Promise<PlannedOnCall> => {
    let against = '';
    const read = async (): Promise<ExportToPlan> => {
      const standing = await db.read(scope, readStanding);
      against = textOf(standing);
      return { source, text: JSON.stringify(value ?? null), standing, now };
    };
    const found = await planned(scope.orgId, read, left);
    if ('refused' in found) throw new ImportFormatError(found.refused);
    return { ...found, stillHolds: async (tx) => textOf(await readStanding(tx)) === against };
  };
}

const textOf = ({ schedules, policies, people }: Standing): string =>
  canonical([[...schedules], [...policies], [...people]]);

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
