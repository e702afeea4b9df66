import { sql } from 'kysely';
import { type Observed, observedInAlert } from '../domain/topology/alert-services.ts';
import type { Tx } from './database.ts';

/** Names from outside are kept up to so many: more are no services, but ids that somebody took for names. */
const mostServices = 10_000;
const mostDependencies = 20_000;

export interface ObservedCalls {
  caller: string;
  callee: string;
  calls: number;
  errors: number;
}

/** Notes the services that alerts name, and the calls that their source and destination labels show. */
export async function learnFromAlerts(
  tx: Tx,
  {
    orgId,
    alerts,
  }: { orgId: string; alerts: readonly { service: string | null; labels: Record<string, string> }[] },
): Promise<void> {
  const observed = alerts.map(observedInAlert);
  await learnServices(tx, { orgId, services: observed.flatMap(({ services }) => services) });
  const calls = observed
    .flatMap(({ dependencies }) => dependencies)
    .map(({ from, to }) => ({ caller: from, callee: to, calls: 0, errors: 0 }));
  await learnCalls(tx, { orgId, calls, observedIn: 'labels' });
}

/** Makes services known, or known to be still there. What people declared keeps its kind. */
export async function learnServices(
  tx: Tx,
  { orgId, services }: { orgId: string; services: Observed['services'] },
): Promise<void> {
  // of two kinds for one name the one that says more
  const kinds = new Map<string, string>();
  for (const { name, kind } of services) if (kind !== 'service' || !kinds.has(name)) kinds.set(name, kind);
  if (kinds.size === 0) return;
  const given = [...kinds].map(([name, kind]) => ({ name, kind }));
  await sql`
    insert into services (org_id, name, kind)
    select ${orgId}::uuid, g.name, g.kind
    from jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as g(name text, kind text)
    left join services s on s.name = g.name
    -- requests come by the hundred: a row that is up to date is not even locked
    where case when s.name is null then (select count(*) from services) < ${mostServices}
      else s.last_seen_at < now() - interval '1 minute'
        or (not s.declared and s.kind <> g.kind and g.kind <> 'service') end
    order by g.name
    on conflict (org_id, name) do update set
      last_seen_at = now(),
      kind = case when services.declared or excluded.kind = 'service' then services.kind else excluded.kind end
  `.execute(tx);
}

/** Adds calls to the dependencies that they show. */
export async function learnCalls(
  tx: Tx,
  {
    orgId,
    calls,
    observedIn,
  }: { orgId: string; calls: readonly ObservedCalls[]; observedIn: 'traces' | 'labels' },
): Promise<void> {
  const summed = new Map<string, ObservedCalls>();
  for (const call of calls) {
    if (call.caller === call.callee) continue;
    const key = JSON.stringify([call.caller, call.callee]);
    const before = summed.get(key);
    summed.set(key, {
      ...call,
      calls: call.calls + (before?.calls ?? 0),
      errors: call.errors + (before?.errors ?? 0),
    });
  }
  if (summed.size === 0) return;
  await sql`
    insert into service_dependencies (org_id, caller, callee, observed_in, calls, errors, last_seen_at)
    select ${orgId}::uuid, g.caller, g.callee, ${observedIn}, g.calls, g.errors, now()
    from jsonb_to_recordset(${JSON.stringify([...summed.values()])}::jsonb)
      as g(caller text, callee text, calls bigint, errors bigint)
    left join service_dependencies d on d.caller = g.caller and d.callee = g.callee
    where case when d.caller is null then (select count(*) from service_dependencies) < ${mostDependencies}
      else g.calls > 0 or d.last_seen_at is null or d.last_seen_at < now() - interval '1 minute' end
    -- in one order, so that requests which meet on the same rows wait for each other and not crosswise
    order by g.caller, g.callee
    on conflict (org_id, caller, callee) do update set
      calls = service_dependencies.calls + excluded.calls,
      errors = service_dependencies.errors + excluded.errors,
      observed_in = excluded.observed_in,
      last_seen_at = now()
  `.execute(tx);
}
