import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { ChangeVerdict } from '../domain/changes/change.ts';
import { toldChangeWords } from '../domain/changes/score.ts';
import { causeJudgement, judgementAudit } from '../domain/incident/cause.ts';
import { recordAudit } from './audit.ts';
import { ofOtherTeam } from './changes.ts';
import type { Tx } from './database.ts';

/**
 * What people say of an incident's cause and of the changes behind it. While its workflow runs that goes through it,
 * and its record calls `saveCause` and `saveVerdict`; when it has ended (ClosedError), `judgeClosedCause` and
 * `judgeClosedChange` write it down directly, with the same lines in timeline and audit log.
 */

/** A person's word on the cause takes the place of Holdfast's, and of an earlier one. */
export async function saveCause(
  tx: Tx,
  { orgId, incidentId, service, by }: { orgId: string; incidentId: string; service: string; by: string },
): Promise<void> {
  await tx
    .updateTable('incidents')
    .set({ cause_service: service, cause_confidence: 1, cause_by: by })
    .where('id', '=', incidentId)
    .execute();
  await saveCauseTrait(tx, { orgId, incidentId, service });
}

/** By which other incidents find this one as one of the same cause. */
export async function saveCauseTrait(
  tx: Tx,
  { orgId, incidentId, service }: { orgId: string; incidentId: string; service: string },
): Promise<void> {
  await tx
    .deleteFrom('incident_traits')
    .where('incident_id', '=', incidentId)
    .where('trait', 'like', 'cause=%')
    .execute();
  await tx
    .insertInto('incident_traits')
    .values({ org_id: orgId, incident_id: incidentId, trait: `cause=${service}` })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export interface Verdict {
  orgId: string;
  incidentId: string;
  changeId: number;
  verdict: ChangeVerdict;
  by: string;
  at: Date;
}

/**
 * Also on a change that was not related to the incident before. A later word wins over an earlier one, whichever is
 * recorded first. Answers with the change in words, or undefined where there is no such change.
 */
export async function saveVerdict(tx: Tx, verdict: Verdict): Promise<string | undefined> {
  const change = await tx
    .selectFrom('changes')
    .select(['service', 'title', 'version', 'previous_version as previousVersion'])
    .select(ofOtherTeam(verdict.incidentId).as('ofOtherTeam'))
    .where('id', '=', verdict.changeId)
    .executeTakeFirst();
  if (!change) return undefined;
  await sql`
    insert into incident_changes (org_id, incident_id, change_id, score, reasons, verdict, judged_by, judged_at)
    values (${verdict.orgId}, ${verdict.incidentId}, ${verdict.changeId}, 0, '[]', ${verdict.verdict}, ${verdict.by},
      ${verdict.at})
    on conflict (incident_id, change_id) do update
      set verdict = excluded.verdict, judged_by = excluded.judged_by, judged_at = excluded.judged_at
      where incident_changes.judged_at is null or incident_changes.judged_at <= excluded.judged_at`.execute(
    tx,
  );
  return toldChangeWords(change);
}

/** 'Confirmed as a cause: payment-service v2.3.0 → v2.3.1'. */
export function verdictSentence(verdict: ChangeVerdict, change: string): string {
  return verdict === 'confirmed' ? `Confirmed as a cause: ${change}` : `Not a cause: ${change}`;
}

/** Saying again what stands already is no second judgement. False: there is no such incident. */
export async function judgeClosedCause(
  tx: Tx,
  { orgId, number, service, actor }: { orgId: string; number: number; service: string; actor: string },
): Promise<boolean> {
  const incident = await tx
    .selectFrom('incidents')
    .select(['id', 'cause_service as before', 'cause_by as by'])
    .where('number', '=', number)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!incident) return false;
  if (incident.before === service && incident.by === actor) return true;
  await saveCause(tx, { orgId, incidentId: incident.id, service, by: actor });
  const { kind, summary } = causeJudgement(incident.before, service);
  await tellJudgement(tx, { orgId, incidentId: incident.id, actor, kind, summary, data: { service } });
  await recordAudit(tx, {
    orgId,
    actor,
    action: judgementAudit.cause,
    subject: `incident:${number}`,
    data: { service },
  });
  return true;
}

/** As `judgeClosedCause`. False: there is no such incident or no such change. */
export async function judgeClosedChange(
  tx: Tx,
  {
    orgId,
    number,
    changeId,
    verdict,
    actor,
  }: { orgId: string; number: number; changeId: number; verdict: ChangeVerdict; actor: string },
): Promise<boolean> {
  const incident = await tx
    .selectFrom('incidents')
    .select('id')
    .where('number', '=', number)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!incident) return false;
  const before = await tx
    .selectFrom('incident_changes')
    .select(['verdict', 'judged_by as by'])
    .where('incident_id', '=', incident.id)
    .where('change_id', '=', changeId)
    .executeTakeFirst();
  if (before?.verdict === verdict && before.by === actor) return true;
  const change = await saveVerdict(tx, {
    orgId,
    incidentId: incident.id,
    changeId,
    verdict,
    by: actor,
    at: new Date(),
  });
  if (change === undefined) return false;
  await tellJudgement(tx, {
    orgId,
    incidentId: incident.id,
    actor,
    kind: `change_${verdict}`,
    summary: verdictSentence(verdict, change),
    data: { changeId, verdict },
  });
  await recordAudit(tx, {
    orgId,
    actor,
    action: judgementAudit.change,
    subject: `incident:${number}`,
    data: { changeId, verdict },
  });
  return true;
}

async function tellJudgement(
  tx: Tx,
  line: {
    orgId: string;
    incidentId: string;
    actor: string;
    kind: string;
    summary: string;
    data: Record<string, unknown>;
  },
): Promise<void> {
  await tx
    .insertInto('timeline')
    .values({
      org_id: line.orgId,
      incident_id: line.incidentId,
      kind: line.kind,
      actor: line.actor,
      summary: line.summary,
      data: JSON.stringify(line.data),
      dedup_key: `judged:${randomUUID()}`,
    })
    .execute();
}
