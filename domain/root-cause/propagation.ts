import type { ServiceGraph } from '../topology/graph.ts';

/**
 * How much likelier what is seen of a service is when it is in trouble than when it is well: above 1 speaks for
 * trouble, below 1 against it, 1 says nothing.
 */
export type Likelihoods = ReadonlyMap<string, number>;

/** That a service is in trouble for reasons of its own while the incident lasts. */
const coincidence = 0.03;
/** That a service whose callee is in trouble is in trouble too: callers also have caches, retries, and luck. */
const passedOn = 0.6;
/** That the cause itself is in trouble by its own measure. */
const atTheCause = 0.95;

/**
 * The logarithm of how much better the trouble of all services is explained when it comes from `cause` than when
 * every service had its own. Trouble goes from what is called to its callers, hop by hop, and ends where a caller
 * copes: so a cause is believed for the failing services that reach it, and disbelieved for the healthy ones in
 * between, and a service that lost its alert amid a chain costs little. Cycles are walked once, by the shortest way.
 */
export function explanatoryPower(graph: ServiceGraph, cause: string, likelihoods: Likelihoods): number {
  const trouble = new Map<string, number>();
  let sum = gain(atTheCause, likelihoods.get(cause) ?? 1);
  trouble.set(cause, posterior(atTheCause, likelihoods.get(cause) ?? 1));
  let edge = [cause];
  while (edge.length > 0) {
    const next = new Map<string, number>();
    for (const callee of edge) {
      const passed = (trouble.get(callee) ?? 0) * passedOn;
      for (const caller of graph.callers(callee)) {
        if (trouble.has(caller)) continue;
        next.set(caller, Math.max(next.get(caller) ?? coincidence, passed));
      }
    }
    for (const [service, prior] of next) {
      const likelihood = likelihoods.get(service) ?? 1;
      trouble.set(service, posterior(prior, likelihood));
      sum += gain(prior, likelihood);
    }
    // who is hardly in trouble passes hardly anything on
    edge = [...next.keys()].filter((service) => (trouble.get(service) ?? 0) > coincidence);
  }
  return sum;
}

function gain(prior: number, likelihood: number): number {
  return Math.log((prior * likelihood + 1 - prior) / (coincidence * likelihood + 1 - coincidence));
}

function posterior(prior: number, likelihood: number): number {
  return (prior * likelihood) / (prior * likelihood + 1 - prior);
}
