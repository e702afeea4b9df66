import type { Database } from '../../db/database.ts';
import {
  deleteEscalationPolicy,
  getEscalationPolicy,
  listEscalationPolicies,
  putEscalationPolicy,
} from '../../db/policies.ts';
import type { EscalationPolicy } from '../../domain/policies.ts';
import { configurationEndpoints } from '../configuration.ts';
import type { Endpoint } from '../endpoint.ts';
import { escalationPolicyBody, escalationPolicyShown } from './schema.ts';

export function escalationPolicyEndpoints(deps: { db: Pick<Database, 'read' | 'write'> }): Endpoint[] {
  return configurationEndpoints<EscalationPolicy, EscalationPolicy>(
    {
      plural: 'escalation-policies',
      singular: 'escalation policy',
      tag: 'Escalation policies',
      body: escalationPolicyBody,
      shown: escalationPolicyShown,
      present: (policy) => policy,
      list: listEscalationPolicies,
      get: getEscalationPolicy,
      put: putEscalationPolicy,
      remove: deleteEscalationPolicy,
    },
    deps,
  );
}
