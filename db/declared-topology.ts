import { sql } from 'kysely';
import {
  type DeclaredService,
  type DeclaredTopology,
  isEmptyPlan,
  planTopology,
  type TopologyPlan,
} from '../domain/topology/declared.ts';
import type { Dependency } from '../domain/topology/service.ts';
import { recordAudit } from './audit.ts';
import type { Tx } from './database.ts';
import { UnknownReferenceError } from './policies.ts';

/** What people declared, by name. */
export async function readDeclared(tx: Tx): Promise<DeclaredTopology> {
  const services = await declaredServices(tx).orderBy('services.name').execute();
  const dependencies = await tx
    .selectFrom('service_dependencies')
    .select(['caller as from', 'callee as to'])
    .where('declared', '=', true)
    .orderBy('caller')
    .orderBy('callee')
    .execute();
  return { services, dependencies };
}

/** One service as people declared it, with what they say that it calls. */
async function readDeclaredService(tx: Tx, name: string): Promise<DeclaredTopology> {
  const services = await declaredServices(tx).where('services.name', '=', name).execute();
  const dependencies = await tx
    .selectFrom('service_dependencies')
    .select(['caller as from', 'callee as to'])
    .where('declared', '=', true)
    .where('caller', '=', name)
    .execute();
  return { services, dependencies };
}

function declaredServices(tx: Tx) {
  return tx
    .selectFrom('services')
    .leftJoin('teams', 'teams.id', 'services.team_id')
    .select(['services.name', 'services.kind', 'services.description', 'teams.slug as team'])
    .where('services.declared', '=', true);
}

interface Author {
  orgId: string;
  /** Mail address. */
  actor: string;
}

/**
 * Makes `topology` what people declare: what it lacks is not declared any more, and goes unless traces or alerts
 * showed it. With `planOnly` nothing is changed. Throws UnknownReferenceError for a team that there is not, at
 * 'services.<index>.team'.
 */
export async function declareTopology(
  tx: Tx,
  { topology, planOnly = false, ...author }: Author & { topology: DeclaredTopology; planOnly?: boolean },
): Promise<TopologyPlan> {
  const teams = await requireTeams(tx, topology.services);
  const plan = planTopology(await readDeclared(tx), topology);
  if (!planOnly) await apply(tx, author, plan, teams, 'topology');
  return plan;
}

/** Declares one service and what it calls, in the place of what was declared of it. Throws as `declareTopology`. */
export async function declareService(
  tx: Tx,
  { service, calls, ...author }: Author & { service: DeclaredService; calls: readonly string[] },
): Promise<void> {
  const teams = await requireTeams(tx, [service]);
  const dependencies = calls.map((to) => ({ from: service.name, to }));
  const before = await readDeclaredService(tx, service.name);
  const plan = planTopology(before, { services: [service], dependencies });
  await apply(tx, author, plan, teams, `service:${service.name}`);
}

/** False where nobody had declared it. */
export async function undeclareService(
  tx: Tx,
  { name, ...author }: Author & { name: string },
): Promise<boolean> {
  const before = await readDeclaredService(tx, name);
  if (before.services.length === 0) return false;
  const plan = planTopology(before, { services: [], dependencies: [] });
  await apply(tx, author, plan, new Map(), `service:${name}`);
  return true;
}

/** Ids by slug. */
async function requireTeams(tx: Tx, services: readonly DeclaredService[]): Promise<Map<string, string>> {
  const teams = new Map(
    (await tx.selectFrom('teams').select(['slug', 'id']).execute()).map(({ slug, id }) => [slug, id]),
  );
  for (const [index, { team }] of services.entries()) {
    if (team === null || teams.has(team)) continue;
    const there = [...teams.keys()].sort().join(', ');
    throw new UnknownReferenceError(
      `services.${index}.team`,
      `there is no team '${team}'; ${there === '' ? 'there are none yet' : `there are ${there}`}`,
    );
  }
  return teams;
}

async function apply(
  tx: Tx,
  { orgId, actor }: Author,
  plan: TopologyPlan,
  teams: Map<string, string>,
  subject: string,
): Promise<void> {
  if (isEmptyPlan(plan)) return;
  await putServices(tx, orgId, [...plan.services.added, ...plan.services.changed], teams);
  await removeDependencies(tx, plan.dependencies.removed);
  await putDependencies(tx, orgId, plan.dependencies.added);
  await removeServices(tx, plan.services.removed);
  await recordAudit(tx, {
    orgId,
    actor,
    action: 'topology.changed',
    subject,
    data: { plan: summaryOf(plan) },
  });
}

async function putServices(
  tx: Tx,
  orgId: string,
  services: readonly DeclaredService[],
  teams: Map<string, string>,
): Promise<void> {
  const rows = services.map(({ team, ...rest }) => ({
    ...rest,
    team_id: team === null ? null : teams.get(team),
  }));
  await sql`
    insert into services (org_id, name, kind, description, team_id, declared)
    select ${orgId}::uuid, g.name, g.kind, g.description, g.team_id, true
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as g(name text, kind text, description text, team_id uuid)
    order by g.name
    on conflict (org_id, name) do update set
      kind = excluded.kind, description = excluded.description, team_id = excluded.team_id, declared = true
  `.execute(tx);
}

/** What a dependency names is a service, whether it was listed or not. */
async function putDependencies(tx: Tx, orgId: string, dependencies: readonly Dependency[]): Promise<void> {
  const given = JSON.stringify(dependencies);
  await sql`
    insert into services (org_id, name)
    select ${orgId}::uuid, name from (
      select "from" as name from jsonb_to_recordset(${given}::jsonb) as g("from" text, "to" text)
      union select "to" from jsonb_to_recordset(${given}::jsonb) as g("from" text, "to" text)
    ) named order by name
    on conflict do nothing
  `.execute(tx);
  await sql`
    insert into service_dependencies (org_id, caller, callee, declared)
    select ${orgId}::uuid, g."from", g."to", true
    from jsonb_to_recordset(${given}::jsonb) as g("from" text, "to" text)
    order by g."from", g."to"
    on conflict (org_id, caller, callee) do update set declared = true
  `.execute(tx);
}

async function removeDependencies(tx: Tx, dependencies: readonly Dependency[]): Promise<void> {
  const given = JSON.stringify(dependencies);
  await sql`
    delete from service_dependencies d using jsonb_to_recordset(${given}::jsonb) as g("from" text, "to" text)
    where d.caller = g."from" and d.callee = g."to" and d.last_seen_at is null
  `.execute(tx);
  await sql`
    update service_dependencies d set declared = false
    from jsonb_to_recordset(${given}::jsonb) as g("from" text, "to" text)
    where d.caller = g."from" and d.callee = g."to"
  `.execute(tx);
}

async function removeServices(tx: Tx, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  // a service that was seen after it was first written down is there whatever people declare
  await sql`
    delete from services s where s.name = any(${[...names]}) and s.last_seen_at = s.first_seen_at
      and not exists (select from service_dependencies d where d.caller = s.name)
      and not exists (select from service_dependencies d where d.callee = s.name)
  `.execute(tx);
  await tx
    .updateTable('services')
    .set({ declared: false, description: '', team_id: null })
    .where('name', 'in', names)
    .execute();
}

/** An audit entry says what changed, as far as somebody reads it. */
const listed = 200;

function summaryOf({ services, dependencies }: TopologyPlan): object {
  const names = (list: readonly DeclaredService[]) => list.slice(0, listed).map(({ name }) => name);
  const calls = (list: readonly Dependency[]) =>
    list.slice(0, listed).map(({ from, to }) => `${from} → ${to}`);
  return {
    services: {
      added: names(services.added),
      changed: names(services.changed),
      removed: services.removed.slice(0, listed),
    },
    dependencies: { added: calls(dependencies.added), removed: calls(dependencies.removed) },
  };
}
