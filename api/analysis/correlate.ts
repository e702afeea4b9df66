import { z } from 'zod';
import { serviceOf } from '../../domain/alert.ts';
import { groupAlerts } from '../../domain/correlation/group-alerts.ts';
import type { Grouping } from '../../domain/correlation/grouping.ts';
import { type Endpoint, personEndpoint } from '../endpoint.ts';
import type { AlertsToGroup } from './correlate-thread.ts';
import { charactersOf, labels } from './labels.ts';
import { moment } from './moment.ts';
import { ownThread, ownThreadErrors } from './own-thread.ts';

/** What is more than this is grouped in a thread of its own: about 30 ms of work. */
const small = { alerts: 200, calls: 2000, characters: 50_000 };

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
          labels: labels.default({}),
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
  const groupApart = ownThread<AlertsToGroup, Grouping>(new URL('./correlate-thread.ts', import.meta.url), {
    busy: 'other alerts are being grouped',
    tooMuch: 'send fewer alerts or dependencies at once',
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
    errors: ownThreadErrors,
    handle: async ({ body, principal }) => {
      if (!isSmall(body)) return await groupApart(principal.orgId, () => ({ input: toGroup(body) }));
      const { alerts, dependencies } = toGroup(body);
      return groupAlerts(alerts, dependencies);
    },
  });
}

function isSmall({ alerts, dependencies }: z.output<typeof body>): boolean {
  return (
    alerts.length <= small.alerts &&
    dependencies.length <= small.calls &&
    charactersOf(alerts) <= small.characters
  );
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
