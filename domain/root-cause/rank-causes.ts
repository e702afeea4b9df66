import { reach, serviceGraph } from '../topology/graph.ts';
import type { Cause } from './cause.ts';
import type { Evidence } from './evidence.ts';

/**
 * The services that may be where an incident comes from, best first. The cause lies towards what is called: a
 * failing service whose own callees are well explains its failing callers.
 */
export function rankCauses(evidence: Evidence): Cause[] {
  const graph = serviceGraph(evidence.dependencies);
  const firstAlert = new Map<string, number>();
  for (const { service, startsAt } of evidence.alerts) {
    if (service === null) continue;
    firstAlert.set(service, Math.min(startsAt, firstAlert.get(service) ?? startsAt));
  }
  const failing = [...firstAlert.keys()];
  const scored = failing.map((service) => {
    const explained = failing.filter((other) => reach(graph, other, 'callees', 20).has(service)).length;
    const deeper = graph.callees(service).filter((callee) => firstAlert.has(callee)).length;
    return { service, score: explained / failing.length / (1 + deeper), deeper, explained };
  });
  const total = scored.reduce((sum, { score }) => sum + score, 0);
  return scored
    .toSorted((a, b) => b.score - a.score)
    .map(({ service, score, deeper, explained }) => ({
      service,
      score,
      confidence: score / total,
      reasons: [
        deeper === 0 ? 'it fails and nothing that it calls does' : `${deeper} of what it calls fail too`,
        `${explained - 1} of the other failing services reach it`,
      ],
    }));
}
