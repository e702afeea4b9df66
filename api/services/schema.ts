import { z } from 'zod';
import { severities } from '../../domain/severity.ts';
import { serviceKinds } from '../../domain/topology/service.ts';
import { instant, pageOf, pageQuery } from '../endpoint.ts';
import { serviceDependency } from '../topology/schema.ts';

export const serviceListQuery = z.object({
  ...pageQuery,
  q: z.string().max(200).optional().meta({ description: 'Part of a name' }),
});

export const serviceParams = z.object({ name: z.string().min(1).max(200) });

const service = z.object({
  name: z.string(),
  kind: z.enum(serviceKinds),
  description: z.string(),
  team: z.string().nullable(),
  declared: z.boolean().meta({ description: 'By a person; others were seen in alerts or traces' }),
  firstSeenAt: instant,
  lastSeenAt: instant,
});

const serviceSummary = service
  .extend({
    callers: z.int(),
    callees: z.int(),
    incidents: z.array(z.int()).meta({ description: 'Unresolved ones, the newest first' }),
  })
  .meta({ id: 'ServiceSummary' });
export const serviceList = pageOf(serviceSummary);

export const serviceDetail = service
  .extend({
    callers: z.array(serviceDependency),
    callees: z.array(serviceDependency),
    blastRadius: z.array(z.object({ service: z.string(), hops: z.int() })).meta({
      description: 'What calls it, directly and through others: what fails when it does; nearest first',
    }),
    incidents: z
      .array(
        z.object({
          number: z.int(),
          title: z.string(),
          severity: z.enum(severities),
          openedAt: instant,
          isCause: z.boolean(),
        }),
      )
      .meta({ description: 'Unresolved ones that concern it' }),
  })
  .meta({ id: 'Service' });

const name = z.string().min(1).max(200);

export const serviceBody = z
  .strictObject({
    kind: z.enum(serviceKinds).default('service'),
    description: z.string().max(2000).default(''),
    team: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .meta({ description: 'The slug of the team that owns it' }),
    calls: z.array(name).max(1000).default([]).meta({ description: 'Names of the services that it calls' }),
  })
  .meta({ id: 'ServiceDeclaration' });
