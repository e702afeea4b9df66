import { sql } from 'kysely';
import { identityKeys, rememberedKeys } from '../domain/correlation/keys.ts';
import { asCorrelated, type CorrelationContext, readCorrelationContext } from './correlation-context.ts';
import { rulesForAlert } from './correlation-rules.ts';
import type { Tx } from './database.ts';

/** After a merge `target` is found by what found `source`, which is found by nothing. */
export async function moveKeys(
  tx: Tx,
  orgId: string,
  source: { id: string },
  target: { id: string },
): Promise<void> {
  await sql`
    with gone as (
      delete from incident_keys where incident_id = ${source.id} returning key, first_at, last_at
    )
    insert into incident_keys (org_id, key, incident_id, first_at, last_at)
    select ${orgId}, key, ${target.id}, first_at, last_at from gone
    on conflict (org_id, key, incident_id) do update set
      first_at = least(incident_keys.first_at, excluded.first_at),
      last_at = greatest(incident_keys.last_at, excluded.last_at)`.execute(tx);
}

/** Alerts by which an incident is found after a split: the newest. */
const keyedLimit = 2_000;

/** After some alerts went, both incidents are found by what they have now. */
export async function splitKeys(
  tx: Tx,
  orgId: string,
  source: { id: string },
  target: { id: string },
): Promise<void> {
  const context = await readCorrelationContext(tx);
  for (const incident of [source, target]) {
    const keys = await keysOfAlerts(tx, incident, context);
    await sql`delete from incident_keys where incident_id = ${incident.id}`.execute(tx);
    await sql`
      insert into incident_keys (org_id, key, incident_id, first_at, last_at)
      select ${orgId}, key, ${incident.id}, first_at, last_at
      from jsonb_to_recordset(${JSON.stringify(keys)}::jsonb) as k(key text, first_at timestamptz, last_at timestamptz)`.execute(
      tx,
    );
  }
}

interface KeySpan {
  key: string;
  first_at: Date;
  last_at: Date;
}

async function keysOfAlerts(
  tx: Tx,
  incident: { id: string },
  context: CorrelationContext,
): Promise<KeySpan[]> {
  const alerts = await tx
    .selectFrom('alerts')
    .select(['integration_id', 'fingerprint', 'service', 'name', 'labels', 'received_at', 'team_id'])
    .where('incident_id', '=', incident.id)
    .orderBy('id', 'desc')
    .limit(keyedLimit)
    .execute();
  const spans = new Map<string, KeySpan>();
  for (const {
    integration_id: integrationId,
    fingerprint,
    service,
    name,
    labels,
    received_at: at,
    team_id: teamId,
  } of alerts) {
    const { rules } = rulesForAlert(context.inForce, labels, teamId);
    const keys = [
      ...identityKeys({ integrationId, fingerprint, groupId: null }),
      ...rememberedKeys(asCorrelated(context, { service, name, labels, at: at.getTime() }), rules),
    ];
    for (const key of keys) {
      const span = spans.get(key);
      if (!span) spans.set(key, { key, first_at: at, last_at: at });
      else if (at < span.first_at) span.first_at = at;
      else if (at > span.last_at) span.last_at = at;
    }
  }
  return [...spans.values()];
}
