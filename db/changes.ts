import { sql } from 'kysely';
import type { CandidateChange, ChangeHistory } from '../domain/changes/score.ts';
import type { Tx } from './database.ts';

/** Changes that one look at an incident scores; the newest of the window. */
const candidateLimit = 500;
/** What people said longer ago says little of how a service is changed today. */
const historyDays = 365;

/**
 * The changes between two times of these services, in whatever case they are written, and those that name none;
 * newest first, at most 500.
 */
export async function candidateChanges(
  tx: Tx,
  args: { from: Date; to: Date; services: readonly string[] },
): Promise<CandidateChange[]> {
  const services = args.services.map((service) => service.toLowerCase());
  const rows = await tx
    .selectFrom('changes')
    .select([
      'id',
      'type',
      'status',
      'service',
      'environment',
      'title',
      'version',
      'previous_version as previousVersion',
      'at',
    ])
    .where('at', '>=', args.from)
    .where('at', '<=', args.to)
    .where(sql<boolean>`(service is null or lower(service) = any(${services}::text[]))`)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(candidateLimit)
    .execute();
  return rows.map((row) => ({ ...row, at: row.at.getTime() }));
}

/** How often people confirmed and dismissed changes of these services (as the changes write them), by service. */
export async function confirmationHistory(
  tx: Tx,
  services: readonly string[],
): Promise<Map<string, ChangeHistory>> {
  const { rows } = await sql<{ service: string; confirmed: number; dismissed: number }>`
    select c.service, count(*) filter (where ic.verdict = 'confirmed') as confirmed,
      count(*) filter (where ic.verdict = 'dismissed') as dismissed
    from incident_changes ic join changes c on c.id = ic.change_id
    where ic.verdict is not null and ic.judged_at > now() - make_interval(days => ${historyDays})
      and c.service = any(${[...services]}::text[])
    group by c.service`.execute(tx);
  return new Map(rows.map(({ service, confirmed, dismissed }) => [service, { confirmed, dismissed }]));
}
