import type { SimilarIncident } from '../incident/analysis.ts';
import { kindOf, type TraitKind, textOf } from './traits.ts';

/** An incident of the past, with all of its traits. */
export interface PastIncident {
  number: number;
  traits: readonly string[];
}

/** How much a kind says: the same cause is nearly the same incident, one pattern of logs is one of many. */
const kindWeights: Record<TraitKind, number> = { cause: 2, alert: 1, service: 1, pattern: 0.4 };
/** Less in common than this is chance. */
const lowest = 0.25;
const shown = 3;

/**
 * The three that are most like an incident of these traits, best first: Dice's coefficient, in which each trait weighs
 * by its kind and by how rare it is (inverse document frequency), since an alert that every incident has says nothing.
 */
export function similarIncidents(args: {
  traits: readonly string[];
  past: readonly PastIncident[];
  /** In how many past incidents each of `traits` is; absent: in none. */
  frequency: ReadonlyMap<string, number>;
  /** Past incidents in all. */
  total: number;
}): SimilarIncident[] {
  const { traits, past, frequency } = args;
  const total = Math.max(args.total, past.length, 1);
  const rarity = (trait: string) => Math.log(1 + total / (1 + (frequency.get(trait) ?? 0)));
  // what only the other one has is as rare as what this one has is on average
  const usualRarity = traits.reduce((sum, trait) => sum + rarity(trait), 0) / Math.max(traits.length, 1);
  const own = new Set(traits);
  const weightOf = (trait: string) =>
    kindWeights[kindOf(trait) ?? 'pattern'] * (own.has(trait) ? rarity(trait) : usualRarity);
  const weigh = (some: Iterable<string>) => [...some].reduce((sum, trait) => sum + weightOf(trait), 0);
  const ownWeight = weigh(own);
  return past
    .map(({ number, traits: others }) => {
      const shared = [...new Set(others)].filter((trait) => own.has(trait));
      const score = (2 * weigh(shared)) / (ownWeight + weigh(new Set(others)) || 1);
      return { number, score, reasons: reasonsOf(shared, weightOf) };
    })
    .filter(({ score }) => score >= lowest)
    .sort((a, b) => b.score - a.score || b.number - a.number)
    .slice(0, shown);
}

const words: Record<TraitKind, string> = {
  alert: 'alert',
  service: 'service',
  pattern: 'log line',
  cause: 'cause',
};
const reasonsShown = 5;

/** What they share in words, the most telling first. */
function reasonsOf(shared: readonly string[], weightOf: (trait: string) => number): string[] {
  return shared
    .toSorted((a, b) => weightOf(b) - weightOf(a))
    .slice(0, reasonsShown)
    .map((trait) => `${words[kindOf(trait) ?? 'pattern']} ${textOf(trait)}`);
}
