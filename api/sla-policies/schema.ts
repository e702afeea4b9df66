import { slaPolicy } from '../../domain/policies.ts';
import { readBack } from '../configuration.ts';

export const slaPolicyShown = slaPolicy;
export const slaPolicyBody = slaPolicy.extend(readBack).meta({
  id: 'SlaPolicy',
  description:
    "The first by `order` whose `match` holds sets the clocks of an incident; they run by `calendar`, an SLA calendar or '24x7'",
});
