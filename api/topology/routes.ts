import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import { declareTopology, readDeclared } from '../../db/declared-topology.ts';
import { UnknownReferenceError } from '../../db/policies.ts';
import { kindsOf, listDependencies, listTrouble } from '../../db/services.ts';
import { neighbourhood, serviceGraph } from '../../domain/topology/graph.ts';
import { topologyYaml } from '../../domain/topology/topology-yaml.ts';
import { troubleIn } from '../../domain/topology/trouble.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import { InvalidRequestError, NotFoundError } from '../errors.ts';
import type { TopologyParser } from './parse.ts';
import { presentDependency } from './presenter.ts';
import { declared, declareQuery, topology, topologyBody, topologyQuery } from './schema.ts';

const tag = 'Services';
const path = '/api/v1/topology';

export function topologyEndpoints({
  db,
  parseTopology,
}: {
  db: Pick<Database, 'read' | 'write'>;
  parseTopology: TopologyParser;
}): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path,
      tag,
      summary: 'Who calls whom, and where it fails now',
      access: 'viewer',
      query: topologyQuery,
      status: 200,
      response: topology,
      errors: { 404: 'No call of the service `around` is known' },
      handle: async ({ principal, query: { around, hops } }) =>
        await db.read(scopeOf(principal), async (tx) => {
          const all = await listDependencies(tx);
          const graph = serviceGraph(all);
          if (around !== undefined && !graph.services.includes(around)) {
            throw new NotFoundError(`service '${around}' in the graph`);
          }
          const near = around === undefined ? graph.services : neighbourhood(graph, around, hops);
          const shown = new Set(near);
          const trouble = troubleIn(graph, await listTrouble(tx));
          const kinds = await kindsOf(tx, [...shown]);
          return {
            services: [...shown].map((name) => ({
              name,
              kind: kinds.get(name) ?? 'service',
              incidents: [...(trouble.incidents.get(name) ?? [])],
              isCause: trouble.causes.has(name),
            })),
            dependencies: all
              .filter(({ from, to }) => shown.has(from) && shown.has(to))
              .map((each) => ({ ...presentDependency(each), failing: trouble.passes(each) })),
          };
        }),
    }),
    {
      ...personEndpoint({
        method: 'get',
        path: `${path}/export`,
        tag,
        summary: 'What people declared, as the YAML that can be put again',
        access: 'viewer',
        status: 200,
        response: z.string(),
        answersAs: { 'application/yaml': z.string() },
        handle: async ({ principal }) => topologyYaml(await db.read(scopeOf(principal), readDeclared)),
      }),
      send: (answer, _request, response) => {
        response.type('application/yaml').send(answer);
      },
    },
    personEndpoint({
      method: 'put',
      path,
      tag,
      summary: 'Declare services and who calls whom, in the place of what was declared',
      access: 'admin',
      query: declareQuery,
      body: topologyBody,
      bodyAs: 'text',
      bodyTypes: ['application/yaml', 'application/json'],
      status: 200,
      response: declared,
      errors: {
        422: 'It has problems: `errors` names line, column and what to write; or it took too long',
      },
      handle: async ({ principal, query, body }) => {
        const { orgId, email: actor } = principal;
        const parsed = await parseTopology(orgId, body);
        if ('problems' in parsed) {
          throw new InvalidRequestError(
            parsed.problems.map(({ line, col, message }) => ({
              field: `line ${line}, column ${col}`,
              message,
            })),
            422,
          );
        }
        const planOnly = query.plan === 'true';
        try {
          const plan = await db.write(scopeOf(principal), (tx) =>
            declareTopology(tx, { orgId, actor, topology: parsed.topology, planOnly }),
          );
          return { applied: !planOnly, plan };
        } catch (error) {
          if (!(error instanceof UnknownReferenceError)) throw error;
          const { line, col } = parsed.teams[error.field] ?? { line: 1, col: 1 };
          const field = `line ${line}, column ${col}`;
          throw new InvalidRequestError([{ field, message: error.message }], 422);
        }
      },
    }),
  ];
}
