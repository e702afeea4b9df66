import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type BreachReason, breachReasons } from '../domain/breach-reasons.ts';
import { breachAudit, breachSentence } from '../domain/incident/breach.ts';
import type { SlaClock } from '../domain/sla/clock.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';

/** Why a promise was not kept, in a person's words. */
export interface BreachExplanation {
  clock: SlaClock['kind'];
  reason: BreachReason;
  note: string | null;
  /** Mail address. */
  by: string;
}

/** As the incident's workflow records it. */
export const explainedBreach = z.object({
  clock: z.enum(['acknowledge', 'resolve']),
  reason: z.enum(breachReasons),
  note: z.string().nullable(),
});

/** A later word wins over an earlier one, whichever is recorded first. */
export async function saveBreach(
  tx: Tx,
  { incidentId, clock, reason, note, by, at }: BreachExplanation & { incidentId: string; at: Date },
): Promise<void> {
  await tx
    .updateTable('sla_clocks')
    .set({ breach_reason: reason, breach_note: note, breach_explained_by: by, breach_explained_at: at })
    .where('incident_id', '=', incidentId)
    .where('kind', '=', clock)
    .where((eb) => eb.or([eb('breach_explained_at', 'is', null), eb('breach_explained_at', '<=', at)]))
    .execute();
}

/**
 * Of an incident whose workflow has ended (ClosedError): written down directly, with the line in the timeline and the
 * audit entry that the workflow's record would write. Saying again what stands is no second explanation. False: there
 * is no such incident, or its clock was not breached.
 */
export async function explainClosedBreach(
  tx: Tx,
  { orgId, number, ...explanation }: BreachExplanation & { orgId: string; number: number },
): Promise<boolean> {
  const { clock, reason, note, by } = explanation;
  const incident = await tx
    .selectFrom('incidents as i')
    .innerJoin('sla_clocks as c', 'c.incident_id', 'i.id')
    .select(['i.id', 'c.breach_reason as reason', 'c.breach_note as note', 'c.breach_explained_by as by'])
    .where('i.number', '=', number)
    .where('c.kind', '=', clock)
    .where('c.state', '=', 'breached')
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!incident) return false;
  if (incident.reason === reason && incident.note === note && incident.by === by) return true;
  await saveBreach(tx, { ...explanation, incidentId: incident.id, at: new Date() });
  const data = { clock, reason, note };
  await tx
    .insertInto('timeline')
    .values({
      org_id: orgId,
      incident_id: incident.id,
      kind: 'breach_explained',
      actor: by,
      summary: breachSentence(explanation),
      data: JSON.stringify(data),
      dedup_key: `breach:${randomUUID()}`,
    })
    .execute();
  await recordAudit(tx, { orgId, actor: by, action: breachAudit, subject: `incident:${number}`, data });
  return true;
}
