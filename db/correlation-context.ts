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
/** After this nobody asks for an organization just now: what is kept of it is only in the way. */
const idleMs = 60_000;
/** Of all graphs that are kept: some ten of the largest. */
const mostEdges = 200_000;

interface Kept {
  at: number;
  context: Promise<CorrelationContext>;
  edges: number;
}

/**
 * Reads each organization's context once in a few seconds and not with every alert of a storm. The graph stays the
 * same object as long as it is kept, so that what is derived from it is derived once.
 */
export function createCorrelationContexts(
  db: Pick<Database, 'read'>,
  clock: () => number = Date.now,
): (orgId: string) => Promise<CorrelationContext> {
  /** Those that were read the longest ago first. */
  const kept = new Map<string, Kept>();

  /** The newest stays however large it is, for it is in use. */
  function makeRoom(): void {
    let edges = [...kept.values()].reduce((sum, one) => sum + one.edges, 0);
    for (const [orgId, one] of kept) {
      if (kept.size === 1 || (edges <= mostEdges && clock() - one.at < idleMs)) return;
      kept.delete(orgId);
      edges -= one.edges;
    }
  }

  return (orgId) => {
    const known = kept.get(orgId);
    if (known && clock() - known.at < freshMs) return known.context;
    const context = db.read({ orgId }, readCorrelationContext);
    const entry: Kept = { at: clock(), context, edges: 0 };
    kept.delete(orgId);
    kept.set(orgId, entry);
    makeRoom();
    context.then(
      ({ graph }) => {
        entry.edges = graph.services.reduce((sum, service) => sum + graph.callees(service).length, 0);
        makeRoom();
      },
      () => {
        if (kept.get(orgId) === entry) kept.delete(orgId);
      },
    );
    return context;
  };
}
