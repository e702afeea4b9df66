import type { z } from 'zod';
import type { Database, Tx } from '../../db/database.ts';
import { declareService, undeclareService } from '../../db/declared-topology.ts';
import { callsOf, getService, listServices, listTrouble, type ServiceRecord } from '../../db/services.ts';
import { readGraph } from '../../db/topology.ts';
import { blastRadius, serviceGraph } from '../../domain/topology/graph.ts';
import { serviceName } from '../../domain/topology/service-name.ts';
import { type Principal, scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint, presentPage, withoutUndefined } from '../endpoint.ts';
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import { presentDependency } from '../topology/presenter.ts';
import { serviceBody, serviceDetail, serviceList, serviceListQuery, serviceParams } from './schema.ts';

const tag = 'Services';
const path = '/api/v1/services/{name}';
const notFound = { 404: 'No service of this name' };

export function serviceEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  async function shown(principal: Principal, name: string) {
    const found = await db.read(scopeOf(principal), (tx) => readService(tx, name));
    if (!found) throw new NotFoundError(`service '${name}'`);
    return found;
  }

  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/services',
      tag,
      summary: 'List: every service, by name',
      access: 'viewer',
      query: serviceListQuery,
      status: 200,
      response: serviceList,
      handle: async ({ principal, query }) =>
        await db.read(scopeOf(principal), async (tx) => {
          const page = await listServices(tx, {
            limit: query.limit,
            ...withoutUndefined({ q: query.q, cursor: query.cursor }),
          });
          const trouble = Map.groupBy(await listTrouble(tx), ({ service }) => service);
          return presentPage(page, (service) => ({
            ...presentService(service),
            callers: service.callers,
            callees: service.callees,
            incidents: (trouble.get(service.name) ?? []).map(({ number }) => number),
          }));
        }),
    }),
    personEndpoint({
      method: 'get',
      path,
      tag,
      summary: 'One service: what calls it, what it calls, what fails with it',
      access: 'viewer',
      params: serviceParams,
      status: 200,
      response: serviceDetail,
      errors: notFound,
      handle: async ({ principal, params: { name } }) => await shown(principal, name),
    }),
    personEndpoint({
      method: 'put',
      path,
      tag,
      summary: 'Declare a service and what it calls',
      access: 'admin',
      params: serviceParams,
      body: serviceBody,
      status: 200,
      response: serviceDetail,
      handle: async ({ principal, params: { name }, body: { calls, ...service } }) => {
        requireNames(name, calls);
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), (tx) =>
          declareService(tx, { orgId, actor, service: { name, ...service }, calls: [...new Set(calls)] }),
        );
        return await shown(principal, name);
      },
    }),
    personEndpoint({
      method: 'delete',
      path,
      tag,
      summary: 'Declare a service no longer; what alerts and traces show stays',
      access: 'admin',
      params: serviceParams,
      status: 204,
      errors: { 404: 'Nobody declared a service of this name' },
      handle: async ({ principal, params: { name } }) => {
        const { orgId, email: actor } = principal;
        const gone = await db.write(scopeOf(principal), (tx) => undeclareService(tx, { orgId, actor, name }));
        if (!gone) throw new NotFoundError(`declared service '${name}'`);
        return undefined;
      },
    }),
  ];
}

/** Throws InvalidRequestError for what is no name. */
function requireNames(name: string, calls: readonly string[]): void {
  const wrong = calls.findIndex((callee) => serviceName(callee) !== callee || callee === name);
  if (serviceName(name) !== name) {
    throw new InvalidRequestError([{ field: 'name', message: 'this is no name of a service' }]);
  }
  if (wrong >= 0) {
    throw new InvalidRequestError([
      { field: `calls.${wrong}`, message: 'write the name of another service' },
    ]);
  }
}

async function readService(tx: Tx, name: string): Promise<z.input<typeof serviceDetail> | undefined> {
  const service = await getService(tx, name);
  if (!service) return undefined;
  const { callers, callees } = await callsOf(tx, name);
  const graph = serviceGraph(await readGraph(tx));
  const incidents = await listTrouble(tx, name);
  return {
    ...presentService(service),
    callers: callers.map(presentDependency),
    callees: callees.map(presentDependency),
    blastRadius: blastRadius(graph, name),
    incidents: incidents.map(({ number, title, severity, openedAt, isCause }) => ({
      number,
      title,
      severity,
      openedAt: iso(openedAt),
      isCause,
    })),
  };
}

function presentService({ name, kind, description, team, declared, firstSeenAt, lastSeenAt }: ServiceRecord) {
  return {
    name,
    kind,
    description,
    team,
    declared,
    firstSeenAt: iso(firstSeenAt),
    lastSeenAt: iso(lastSeenAt),
  };
}
