import { z } from 'zod';
import {
  getOpenCircuit,
  listOpenCircuits,
  type OpenCircuit,
  resetCircuit,
} from '../../db/circuit-breakers.ts';
import type { Database } from '../../db/database.ts';
import { assertRole, scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint } from '../endpoint.ts';
import { NotFoundError } from '../errors.ts';
import { circuitBreaker, resetBody } from './schema.ts';

const tag = 'Circuit breakers';
const path = '/api/v1/circuit-breakers';

export function circuitBreakerEndpoints({ db }: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path,
      tag,
      summary: 'List the circuit breakers that are open, the newest failure first',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(circuitBreaker) }),
      handle: async ({ principal }) => {
        const circuits = await db.read(scopeOf(principal), listOpenCircuits);
        return { items: circuits.map(present) };
      },
    }),
    personEndpoint({
      method: 'post',
      path: `${path}/reset`,
      tag,
      summary: 'Let a runbook run on a target again',
      access: 'operator',
      body: resetBody,
      status: 204,
      errors: { 404: 'It is not open' },
      handle: async ({ principal, body }) => {
        const { orgId, email: actor } = principal;
        await db.write(scopeOf(principal), async (tx) => {
          const circuit = await getOpenCircuit(tx, body);
          if (!circuit) throw new NotFoundError(`open circuit breaker of ${body.runbook} on ${body.target}`);
          assertRole(principal, 'operator', circuit.teamId);
          await resetCircuit(tx, { orgId, ...body, actor });
        });
        return undefined;
      },
    }),
  ];
}

function present({ runbook, target, failures }: OpenCircuit): z.input<typeof circuitBreaker> {
  return { runbook, target, failures: failures.map(({ at, ...failure }) => ({ ...failure, at: iso(at) })) };
}
