import { z } from 'zod';
import { listTargets, type TargetClaim } from '../../db/target-locks.ts';
import { scopeOf } from '../auth/principal.ts';
import { type Endpoint, iso, personEndpoint, type Reader } from '../endpoint.ts';
import { lockedTarget } from './schema.ts';

export function targetEndpoints({ db }: { db: Reader }): Endpoint[] {
  return [
    personEndpoint({
      method: 'get',
      path: '/api/v1/targets',
      tag: 'Targets',
      summary: 'List targets that an execution works on or waits for, with their queues',
      access: 'viewer',
      status: 200,
      response: z.object({ items: z.array(lockedTarget) }),
      handle: async ({ principal }) => {
        const targets = await db.read(scopeOf(principal), listTargets);
        return {
          items: targets.map(({ target, holder, queue }) => ({
            target,
            holder: holder && present(holder),
            queue: queue.map(present),
          })),
        };
      },
    }),
  ];
}

function present({ since, ...claim }: TargetClaim) {
  return { ...claim, since: iso(since) };
}
