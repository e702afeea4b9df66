import { sql } from 'kysely';
import type { Severity } from '../domain/severity.ts';
import type { Tx } from './database.ts';

/** What an incident takes over from the alert that opens it. */
export interface OpeningAlert {
  name: string;
  severity: Severity;
  severity_rank: number;
  service: string | null;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** Gives the organization's next number to a new incident without alerts. */
export async function openIncident(
  tx: Tx,
  { orgId, teamId, alert }: { orgId: string; teamId: string | null; alert: OpeningAlert },
): Promise<{ id: string; number: number }> {
  const { rows } = await sql<{ id: string; number: number }>`
    with numbered as (
      update organizations set next_incident_number = next_incident_number + 1
      where org_id = ${orgId} returning next_incident_number - 1 as number
    )
    insert into incidents (org_id, team_id, number, title, severity, severity_rank, service, labels)
    select ${orgId}, ${teamId}, number, ${titleOf(alert)}, ${alert.severity},
      ${alert.severity_rank}, ${alert.service}, ${JSON.stringify(alert.labels)}
    from numbered
    returning id, number`.execute(tx);
  const opened = rows[0];
  if (!opened) throw new Error(`there is no organization ${orgId}`);
  return opened;
}

function titleOf(alert: OpeningAlert): string {
  const summary = alert.annotations.summary?.trim();
  const title = summary || (alert.service ? `${alert.name} on ${alert.service}` : alert.name);
  return title.length > 200 ? `${title.slice(0, 199)}…` : title;
}
