import type { ServiceGraph } from '../topology/graph.ts';
import type { Episode } from './episodes.ts';
import { distance, surroundings } from './neighbourhood.ts';
import type { CorrelationRules } from './rules.ts';
import { timeFactor } from './time.ts';
import { calls, chainWeight, sharedCalleeWeight, starved } from './topology-evidence.ts';

/** What episodes are told apart by. */
interface Scene {
  graph: ServiceGraph;
  rules: CorrelationRules;
  failing: ReadonlyMap<string | null, Episode[]>;
  /** Between the alerts of a service and of one that it calls, when both fail. */
  usualGapMs: number;
  /** The share of its callers that fail, of each service that was asked for. */
  callerShares: Map<string, number>;
}

/** What an episode is explained by: a service that it calls failed at nearly the same time. */
interface Explanation {
  by: Episode;
  /** For people: 'payment-api calls db-primary'. */
  reason: string;
  /** 0 to 1, for the order among several. */
  weight: number;
}

/** Where an episode belongs. */
export interface Placement {
  /** The episode that stands for its outage: the same for all of them. */
  outage: Episode;
  /** For people; null where a tie puts it there, whose reason is known elsewhere. */
  reason: string | null;
}

/**
 * Which episodes are one outage, when all of them are known. Each belongs to what explains it best: a failing service
 * that it calls. Those that nothing explains belong together where most callers of something silent fail, and where
 * `ties` (by labels, say) holds them together.
 */
export function outagesOf(
  episodes: readonly Episode[],
  ties: ReadonlyMap<Episode, Episode>,
  { graph, rules, usualGapMs }: Pick<Scene, 'graph' | 'rules' | 'usualGapMs'>,
): Map<Episode, Placement> {
  const failing = Map.groupBy(episodes, ({ service }) => service);
  const scene: Scene = { graph, rules, failing, usualGapMs, callerShares: new Map() };
  const outages = new Union(episodes);
  const reasons = new Map<Episode, string | null>();
  for (const episode of episodes) {
    const explanations = explanationsOf(scene, episode).sort((a, b) => b.weight - a.weight);
    const best = explanations.find(({ by }) => outages.of(by) !== episode);
    if (best === undefined) continue;
    outages.join(best.by, episode);
    reasons.set(episode, `${best.reason}, ${secondsApart(episode, best.by)}`);
  }
  const unexplained = episodes.filter((episode) => !reasons.has(episode));
  for (const { by, of, reason } of silentCauses(scene, unexplained)) {
    outages.join(by, of);
    reasons.set(of, `${reason}, ${secondsApart(of, by)}`);
  }
  for (const episode of unexplained) {
    const tied = ties.get(episode);
    if (!tied) continue;
    outages.join(tied, episode);
    reasons.set(episode, null);
  }
  return new Map(
    episodes.map((episode) => [
      episode,
      {
        outage: outages.of(episode),
        reason: reasons.get(episode) === undefined ? ofItsOwn : (reasons.get(episode) ?? null),
      },
    ]),
  );
}

const ofItsOwn = 'nothing that it depends on explains it';

function secondsApart(one: Episode, other: Episode): string {
  return `${Math.round(Math.abs(one.at - other.at) / 1000)} s apart`;
}

/** So many times the usual gap is more than alerts of one outage lie apart. */
const gapsAllowed = 5;
const leastGapMs = 60_000;
/** So few gaps do not say what is usual. */
const fewGaps = 4;

/**
 * The median time between the first alerts of a service and of the nearest that it calls, when both fail within a
 * window: how far alerts of one outage lie apart here.
 */
export function usualGap(episodes: readonly Episode[], graph: ServiceGraph, rules: CorrelationRules): number {
  const failing = Map.groupBy(episodes, ({ service }) => service);
  const gaps = episodes.flatMap(({ service, at }) => {
    const callees = service === null ? [] : graph.callees(service);
    const called = callees.flatMap((callee) => failing.get(callee) ?? []);
    const least = Math.min(...called.map((other) => Math.abs(other.at - at)));
    return least <= rules.windowMs ? [least] : [];
  });
  const median = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)];
  return median === undefined || gaps.length < fewGaps ? rules.windowMs / gapsAllowed : median;
}

/** How far alerts of one outage may lie apart. */
export function largestGap(usualGapMs: number, rules: CorrelationRules): number {
  return Math.min(rules.windowMs, Math.max(leastGapMs, gapsAllowed * usualGapMs));
}

function explanationsOf(scene: Scene, effect: Episode): Explanation[] {
  const { graph, rules, failing } = scene;
  const { service } = effect;
  if (service === null) return [];
  const callees = surroundings(graph, service, 'callees', rules.topologyHops);
  const through = throughSilent(scene, service);
  const byCallees = [...callees].flatMap(([callee, hops]) => {
    const causes = hops === 0 ? [] : (failing.get(callee) ?? []);
    return causes
      .filter((cause) => !cause.starved && !explainsRather(scene, { service, at: effect.at }, cause, hops))
      .map((by) => ({
        by,
        weight: chainWeight(hops) * (hops === 1 ? 1 : (through.get(callee) ?? 1)),
        reason: calls(service, callee, hops),
      }));
  });
  const byCallers = effect.starved
    ? graph.callers(service).flatMap((caller) =>
        (failing.get(caller) ?? []).map((by) => ({
          by,
          weight: starved,
          reason: `${caller} fails, which calls ${service}`,
        })),
      )
    : [];
  return [...byCallees, ...byCallers].flatMap(({ by, weight, reason }) => {
    const gapMs = Math.abs(by.at - effect.at);
    const isNear = gapMs <= largestGap(scene.usualGapMs, rules);
    if (!isNear || weight * timeFactor(gapMs, rules) < rules.threshold) return [];
    return [{ by, reason, weight: weight * nearness(scene, gapMs) * support(scene, by) }];
  });
}

/** In a cycle each could explain the other: the one that is nearer as a callee does, then the one that failed first. */
function explainsRather(
  { graph, rules }: Scene,
  effect: { service: string; at: number },
  cause: Episode,
  hops: number,
): boolean {
  const back = distance(graph, cause.service ?? '', effect.service, rules.topologyHops);
  if (back === undefined || hops < back) return false;
  return back < hops || effect.at <= cause.at;
}

/** 0.3 to 1. */
function nearness({ usualGapMs }: Scene, gapMs: number): number {
  return 0.3 + 0.7 * Math.exp(-gapMs / Math.max(leastGapMs / 3, 2 * usualGapMs));
}

/**
 * A silent service that fails unnoticed has more callers that fail. By what the caller reaches through one such: 0.4 to 1.
 */
function throughSilent(scene: Scene, caller: string): Map<string, number> {
  const through = new Map<string, number>();
  for (const silent of scene.graph.callees(caller)) {
    const trust = 0.4 + 0.6 * failingCallers(scene, silent);
    for (const callee of scene.graph.callees(silent)) {
      through.set(callee, Math.max(trust, through.get(callee) ?? 0));
    }
  }
  return through;
}

/** A cause has more callers that fail: 0.5 to 1. */
function support(scene: Scene, cause: Episode): number {
  return 0.5 + 0.5 * failingCallers(scene, cause.service ?? '');
}

/** 0 to 1. */
function failingCallers({ graph, failing, callerShares }: Scene, service: string): number {
  const known = callerShares.get(service);
  if (known !== undefined) return known;
  const callers = graph.callers(service);
  const share = callers.filter((caller) => failing.has(caller)).length / Math.max(1, callers.length);
  callerShares.set(service, share);
  return share;
}

function* silentCauses(
  scene: Scene,
  unexplained: readonly Episode[],
): Generator<{ by: Episode; of: Episode; reason: string }> {
  const { graph, rules, failing } = scene;
  const byCallee = new Map<string, Episode[]>();
  for (const episode of unexplained) {
    if (episode.service === null || episode.starved) continue;
    for (const callee of graph.callees(episode.service)) {
      if (!failing.has(callee)) byCallee.set(callee, [...(byCallee.get(callee) ?? []), episode]);
    }
  }
  for (const [silent, callers] of byCallee) {
    const weight = sharedCalleeWeight(failingCallers(scene, silent));
    const inOrder = callers.toSorted((a, b) => a.at - b.at);
    for (const [index, caller] of inOrder.entries()) {
      const before = inOrder[index - 1];
      if (!before || weight * timeFactor(caller.at - before.at, rules) < rules.threshold) continue;
      yield {
        by: before,
        of: caller,
        reason: `${caller.service} and ${before.service} both call ${silent}, whose callers fail`,
      };
    }
  }
}

/** Sets that grow together (union-find); each has a member that stands for it. */
class Union {
  private readonly parents: Map<Episode, Episode>;

  constructor(members: readonly Episode[]) {
    this.parents = new Map(members.map((member) => [member, member]));
  }

  of(member: Episode): Episode {
    let standing = member;
    let parent = this.parents.get(standing);
    while (parent && parent !== standing) {
      standing = parent;
      parent = this.parents.get(standing);
    }
    return standing;
  }

  /** The set of `second` becomes part of that of `first`. */
  join(first: Episode, second: Episode): void {
    this.parents.set(this.of(second), this.of(first));
  }
}
