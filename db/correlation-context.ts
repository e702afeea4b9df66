import { attributedService } from '../domain/correlation/attribution.ts';
import type { NewAlert } from '../domain/correlation/snapshot.ts';
import { type ServiceGraph, serviceGraph } from '../domain/topology/graph.ts';
import { type RulesInForce, readRulesInForce } from './correlation-rules.ts';
import type { Database, Tx } from './database.ts';
import { readGraph } from './topology.ts';

/** What alerts are correlated by, beside the open incidents. */
export interface CorrelationContext {
  inForce: RulesInForce;
  graph: ServiceGraph;
  /** Those of the graph. */
  services: ReadonlySet<string>;
}

export async function readCorrelationContext(tx: Tx): Promise<CorrelationContext> {
  const graph = serviceGraph(await readGraph(tx));
  return { inForce: await readRulesInForce(tx), graph, services: new Set(graph.services) };
}

/** As it is correlated: one that names no service counts as that of the service that its other labels name. */
export function asCorrelated({ services }: CorrelationContext, alert: NewAlert): NewAlert {
  return { ...alert, service: attributedService(alert, services) };
}

/** For so long rules and topology may be older than what stands in the database. */
const freshMs = 5_000;
/** Only keeps a long life with many organizations from growing the cache. */
const organizationsKept = 200;

/**
 * Reads each organization's context once in a few seconds and not with every alert of a storm. The graph stays the
 * same object as long as it is kept, so that what is derived from it is derived once.
 */
export function createCorrelationContexts(
  db: Pick<Database, 'read'>,
  clock: () => number = Date.now,
): (orgId: string) => Promise<CorrelationContext> {
  const kept = new Map<string, { at: number; context: Promise<CorrelationContext> }>();
  return (orgId) => {
    const known = kept.get(orgId);
    if (known && clock() - known.at < freshMs) return known.context;
    const context = db.read({ orgId }, readCorrelationContext);
    kept.delete(orgId);
    if (kept.size >= organizationsKept) kept.clear();
    kept.set(orgId, { at: clock(), context });
    context.catch(() => {
      if (kept.get(orgId)?.context === context) kept.delete(orgId);
    });
    return context;
  };
}
