import type { Endpoint } from '../endpoint.ts';
import { correlateEndpoint } from './correlate.ts';
import { logPatternsEndpoint } from './log-patterns.ts';
import { rootCauseEndpoint } from './root-cause.ts';

/** The pure functions behind incidents, for whoever wants to judge them on other data; nothing is stored. */
export function analysisEndpoints(): Endpoint[] {
  return [correlateEndpoint(), logPatternsEndpoint(), rootCauseEndpoint()];
}
