import { sql } from 'kysely';
import type { IncomingAlert } from '../domain/alert.ts';
import { severityRank } from '../domain/severity.ts';
import type { Tx } from './database.ts';

export interface IntakeResult {
  /** Episodes opened. */
  new: number;
  /** Firing alerts that were known already. */
  updated: number;
  /** Episodes closed. */
  resolved: number;
  /** Resolves without an open episode, or late repeats of an older one. */
  ignored: number;
}

interface Sender {
  orgId: string;
  integrationId: string;
  /** Whose the alerts are whatever their labels say; absent: as the labels say. */
  teamId?: string | null;
}

/** As `recordBatches`, for one. */
export async function recordAlerts(
  tx: Tx,
  { alerts, ...sender }: Sender & { alerts: IncomingAlert[] },
): Promise<IntakeResult> {
  const [result] = await recordBatches(tx, { ...sender, batches: [alerts] });
  if (!result) throw new Error('a batch has no result');
  return result;
}

/**
 * Stores batches, no two of which have a fingerprint in common, in one statement. A row of `alerts` is one episode of (organization, integration, fingerprint):
 * firing raises the open one or opens the next; resolved closes the open one, unless it is a late repeat, whose
 * `endsAt` is not later than that of the episode before or lies before the start of this one. Every change
 * raises `version`, which makes the row due for dispatch. Rows are taken in the order of their fingerprints, so
 * that concurrent batches of a pair of Alertmanagers wait for each other; those of which one opens what the other
 * closes may still deadlock, and are run again by Database.write.
 */
export async function recordBatches(
  tx: Tx,
  args: Sender & { batches: IncomingAlert[][] },
): Promise<IntakeResult[]> {
  const { orgId, integrationId, teamId = null } = args;
  const batches = args.batches.map(lastOfEachFingerprint);
  const rows = batches.flat().map((alert) => ({ ...alert, severity_rank: severityRank(alert.severity) }));
  const { rows: changes } = await sql<{ opened: string[]; closed: string[] }>`
    with input as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x(
        fingerprint text, status text, name text, severity text, severity_rank smallint, service text,
        labels jsonb, annotations jsonb, "generatorUrl" text, "startsAt" timestamptz, "endsAt" timestamptz,
        truncated integer)
      order by fingerprint
    ),
    closing as materialized (
      select a.id, coalesce(i."endsAt", now()) as ends_at, i.annotations
      from input i
      join alerts a on a.org_id = ${orgId} and a.integration_id = ${integrationId}
        and a.fingerprint = i.fingerprint and a.status <> 'resolved'
      where i.status = 'resolved'
        and (i."endsAt" is null or i."endsAt" >= a.starts_at)
        and not exists (
          select 1 from alerts earlier
          where earlier.org_id = ${orgId} and earlier.integration_id = ${integrationId}
            and earlier.fingerprint = i.fingerprint and earlier.status = 'resolved'
            and earlier.ends_at >= i."endsAt")
      order by i.fingerprint
      for update of a
    ),
    closed as (
      update alerts a set status = 'resolved', ends_at = c.ends_at, resolved_at = now(), last_seen_at = now(),
        annotations = c.annotations, version = a.version + 1
      from closing c where a.id = c.id
      returning a.fingerprint
    ),
    opened as (
      insert into alerts (org_id, team_id, integration_id, fingerprint, status, name, severity, severity_rank, service,
        labels, annotations, generator_url, starts_at, truncated)
      select ${orgId}, ${teamId}::uuid, ${integrationId}, fingerprint, 'firing', name, severity, severity_rank, service,
        labels, annotations, "generatorUrl", "startsAt", truncated
      from input where status = 'firing'
      on conflict (org_id, integration_id, fingerprint) where status <> 'resolved' do update set
        status = 'firing', team_id = excluded.team_id, severity = excluded.severity, severity_rank = excluded.severity_rank,
        labels = excluded.labels, annotations = excluded.annotations, truncated = excluded.truncated,
        occurrences = alerts.occurrences + 1, last_seen_at = now(), version = alerts.version + 1
      returning fingerprint, (occurrences = 1) as is_new
    )
    select
      (select coalesce(json_agg(fingerprint), '[]') from opened where is_new) as opened,
      (select coalesce(json_agg(fingerprint), '[]') from closed) as closed
  `.execute(tx);
  const opened = new Set(changes[0]?.opened);
  const closed = new Set(changes[0]?.closed);
  const results = batches.map((batch) => resultOf(batch, opened, closed));
  const ignored = results.reduce((sum, result) => sum + result.ignored, 0);
  if (ignored > 0) {
    await sql`update integrations set resolves_ignored = resolves_ignored + ${ignored}
      where id = ${integrationId}`.execute(tx);
  }
  return results;
}

function resultOf(batch: IncomingAlert[], opened: Set<string>, closed: Set<string>): IntakeResult {
  const result: IntakeResult = { new: 0, updated: 0, resolved: 0, ignored: 0 };
  for (const { status, fingerprint } of batch) {
    if (status === 'resolved') result[closed.has(fingerprint) ? 'resolved' : 'ignored']++;
    else result[opened.has(fingerprint) ? 'new' : 'updated']++;
  }
  return result;
}

function lastOfEachFingerprint(alerts: IncomingAlert[]): IncomingAlert[] {
  return [...new Map(alerts.map((alert) => [alert.fingerprint, alert])).values()];
}
