import type { Database } from '../../db/database.ts';
import { deleteSlaPolicy, getSlaPolicy, listSlaPolicies, putSlaPolicy } from '../../db/sla-policies.ts';
import type { SlaPolicy } from '../../domain/policies.ts';
import { configurationEndpoints } from '../configuration.ts';
import type { Endpoint } from '../endpoint.ts';
import { slaPolicyBody, slaPolicyShown } from './schema.ts';

export function slaPolicyEndpoints(deps: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return configurationEndpoints<SlaPolicy, SlaPolicy>(
    {
      plural: 'sla-policies',
      singular: 'SLA policy',
      tag: 'SLA policies',
      body: slaPolicyBody,
      shown: slaPolicyShown,
      present: (policy) => policy,
      list: listSlaPolicies,
      get: getSlaPolicy,
      put: putSlaPolicy,
      remove: deleteSlaPolicy,
    },
    deps,
  );
}
