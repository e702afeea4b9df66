import { Piscina } from 'piscina';
import { z } from 'zod';
import { serviceOf } from '../../domain/alert.ts';
import { groupAlerts } from '../../domain/correlation/group-alerts.ts';
import type { Grouping } from '../../domain/correlation/grouping.ts';
import { HttpError } from '../auth/errors.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import type { AlertsToGroup } from './correlate-thread.ts';
import { moment } from './moment.ts';

/** More alerts than this are grouped in a thread of its own: about 30 ms of work. */
const small = 200;
/** Milliseconds. */
const patience = 30_000;
/** Requests that wait for the thread. */
const queue = 8;

const name = z.string().min(1).max(500);

const body = z
  .object({
    alerts: z
      .array(
        z.object({
          service: z.string().max(500).nullish().meta({
            description: 'Without it the labels are asked, as for alerts that come by Alertmanager',
          }),
          name: z.string().max(500).default(''),
          startsAt: moment,
          labels: z.record(z.string().max(1024), z.string().max(65_536)).default({}),
        }),
      )
      .max(10_000)
      .meta({ description: 'In any order; the same alert may come again' }),
    dependencies: z
      .array(z.object({ from: name, to: name }))
      .max(50_000)
      .default([])
      .meta({ description: 'From calls to' }),
  })
  .meta({ id: 'AlertsToGroup' });

const response = z
  .object({
    groups: z
      .array(z.array(z.int()))
      .meta({ description: 'Indices into `alerts`: each is in one group, what belongs to nothing is alone' }),
    reasons: z.array(z.string()).meta({
      description: "Why each alert is in its group, by its index; '#7' is the group that alert 7 opened",
    }),
  })
  .meta({ id: 'AlertGroups' });

export function correlateEndpoint(): Endpoint {
  const threads = new Piscina<AlertsToGroup, Grouping>({
    filename: new URL('./correlate-thread.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    maxQueue: queue,
    idleTimeout: 30_000,
  });
  return personEndpoint({
    method: 'post',
    path: '/api/v1/analysis/correlate',
    tag: 'Analysis',
    summary: 'Group alerts by the outage that they come from, by the rules that Holdfast has by default',
    access: 'viewer',
    body,
    bodyLimit: '32mb',
    status: 200,
    response,
    errors: { 422: 'It took too long to group', 503: 'Too many are being grouped already' },
    handle: async ({ body }) => {
      const asked = toGroup(body);
      return asked.alerts.length <= small
        ? groupAlerts(asked.alerts, asked.dependencies)
        : await groupApart(asked);
    },
  });

  async function groupApart(asked: AlertsToGroup): Promise<Grouping> {
    if (threads.queueSize >= queue) {
      throw new HttpError(503, 'Too busy', 'other alerts are being grouped: send it again in some seconds');
    }
    try {
      return await threads.run(asked, { signal: AbortSignal.timeout(patience) });
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AbortError')) throw error;
      throw new HttpError(422, 'Too much to group', 'send fewer alerts or dependencies at once');
    }
  }
}

function toGroup({ alerts, dependencies }: z.output<typeof body>): AlertsToGroup {
  return {
    alerts: alerts.map(({ service, startsAt, ...rest }) => ({
      ...rest,
      service: service || serviceOf(rest.labels),
      at: startsAt,
    })),
    dependencies,
  };
}
