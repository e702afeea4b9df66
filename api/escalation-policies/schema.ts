import { escalationPolicy } from '../../domain/policies.ts';
import { readBack } from '../configuration.ts';

export const escalationPolicyShown = escalationPolicy;
export const escalationPolicyBody = escalationPolicy.extend(readBack).meta({
  id: 'EscalationPolicy',
  description: 'Who is told when; the policy `default` takes what no other matches',
});
