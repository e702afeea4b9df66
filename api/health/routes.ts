import type { Registry } from 'prom-client';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { type Dependency, probeAll } from './probe.ts';
import { alive, readiness } from './schema.ts';

const tag = 'Health';

export function healthEndpoints(deps: { dependencies: Dependency[]; metrics: Registry }): Endpoint[] {
  return [
    endpoint({
      method: 'get',
      path: '/healthz',
      tag,
      summary: 'The process runs',
      access: 'public',
      status: 200,
      response: alive,
      handle: async () => ({ status: 'ok' as const }),
    }),
    endpoint({
      method: 'get',
      path: '/readyz',
      tag,
      summary: 'Each dependency by name with its state; 503 when one is down',
      access: 'public',
      status: 200,
      response: readiness,
      errors: { 503: 'A dependency is down' },
      handle: async ({ request }) => {
        const states = await probeAll(deps.dependencies);
        // why one is down is for those who are signed in: it may name addresses
        const dependencies = states.map(({ error: _, ...shown }) => shown);
        const isReady = dependencies.every((dependency) => dependency.state === 'up');
        if (!isReady) request.res?.status(503);
        return { status: isReady ? ('ready' as const) : ('not_ready' as const), dependencies };
      },
    }),
    endpoint({
      method: 'get',
      path: '/metrics',
      tag,
      summary: 'Figures for Prometheus',
      access: 'public',
      status: 200,
      handle: async ({ request }) => {
        request.res?.type(deps.metrics.contentType).write(await deps.metrics.metrics());
        return undefined;
      },
    }),
  ];
}
