import { z } from 'zod';
import { serviceKinds } from '../../domain/topology/service.ts';
import { instant } from '../endpoint.ts';

const dependency = z.object({ from: z.string(), to: z.string().meta({ description: '`from` calls `to`' }) });

export const serviceDependency = dependency
  .extend({
    declared: z.boolean(),
    observedIn: z.enum(['traces', 'labels']).nullable().meta({ description: 'Null: declared only' }),
    calls: z.int().meta({ description: 'Seen in traces' }),
    errors: z.int(),
    lastSeenAt: instant.nullable(),
  })
  .meta({ id: 'ServiceDependency' });

export const topology = z
  .object({
    services: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(serviceKinds),
        incidents: z
          .array(z.int())
          .meta({ description: 'Unresolved ones at this service, the newest first' }),
        isCause: z.boolean().meta({ description: 'Probably where one of them comes from' }),
      }),
    ),
    dependencies: z.array(
      serviceDependency.extend({
        failing: z.boolean().meta({ description: 'On the way of the failure of an unresolved incident' }),
      }),
    ),
  })
  .meta({ id: 'Topology' });

export const topologyQuery = z.object({
  around: z.string().max(200).optional().meta({ description: 'Only what is near this service' }),
  hops: z.coerce.number().int().min(1).max(10).default(2).meta({ description: 'How near' }),
});

export const declareQuery = z.object({
  plan: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: "'true': only say what would change" }),
});

export const topologyBody = z
  .string('send YAML or JSON as the body')
  .min(
    1,
    'send YAML or JSON: services: [{name, kind?, description?, team?, calls?}], dependencies: [{from, to}]',
  )
  .meta({
    description:
      'services: [{name, kind?, description?, team?, calls?: [name]}], dependencies: [{from, to}]; as YAML or JSON',
  });

const declaredService = z.object({
  name: z.string(),
  kind: z.enum(serviceKinds),
  description: z.string(),
  team: z.string().nullable(),
});

export const declared = z
  .object({
    applied: z.boolean(),
    plan: z.object({
      services: z.object({
        added: z.array(declaredService),
        changed: z.array(declaredService),
        removed: z.array(z.string()),
      }),
      dependencies: z.object({ added: z.array(dependency), removed: z.array(dependency) }),
    }),
  })
  .meta({ id: 'TopologyDeclared' });
