import { formatDuration } from '../duration.ts';
import { reach, type ServiceGraph } from '../topology/graph.ts';
import type { ChangeStatus, ChangeType } from './change.ts';

/** A change that may be behind an incident. */
export interface CandidateChange {
  id: number;
  type: ChangeType;
  status: ChangeStatus;
  /** Null: it says none, so that it may touch all. */
  service: string | null;
  environment: string | null;
  title: string;
  version: string | null;
  previousVersion: string | null;
  /** When it took effect, in milliseconds. */
  at: number;
  /** Not everybody who sees the incident may see what this change was. */
  ofOtherTeam: boolean;
}

/** What people said of a service's changes on earlier incidents. */
export interface ChangeHistory {
  confirmed: number;
  dismissed: number;
}

export interface ScoredChange extends CandidateChange {
  /** 0 to 1: how likely it is behind the incident. */
  score: number;
  /** Sentences for people, the weightiest first. */
  reasons: string[];
  /** 'Related change detected: payment-service v2.3.0 → v2.3.1, 15 min before, 85 %'. */
  sentence: string;
}

/** Changes further back than this are not looked at. */
export const lookBackMs = 2 * 3_600_000;
/** The clock of whoever told of a change may be so much ahead: what says it came later than this did come later. */
export const clockSkewMs = 2 * 60_000;

/** Hops that a change is followed from a failing service to what it calls, and to what calls it. */
const calleeHops = 3;
const callerHops = 2;
/** A change of what a failing service calls breaks it more often than a change of what calls it. */
const calleeRelation = [1, 0.8, 0.65, 0.5];
const callerRelation = [1, 0.45, 0.3];
const unnamedRelation = 0.35;

/** A change of configuration is smaller than a deployment; code that was pushed is not deployed by that. */
const typeWeights: Record<ChangeType, number> = {
  deployment: 1,
  infrastructure: 0.95,
  feature_flag: 0.9,
  config: 0.85,
  code: 0.5,
  other: 0.6,
};
const otherEnvironment = 0.2;
/** The chance that the time lends halves with each of these: 15 min before says much, 2 h before little. */
const halfLifeMs = 45 * 60_000;
const timeFloor = 0.25;
/** Nothing is certain that no person has confirmed. */
const highest = 0.97;
/** Less than this is not worth a person's look. */
const lowest = 0.1;

/** The services whose changes may be behind alerts of `services`: themselves, what they call and what calls them. */
export function relatedServices(services: Iterable<string>, graph: ServiceGraph): string[] {
  const failing = [...services];
  return [
    ...new Set([
      ...reachOfAll(failing, graph, 'callees', calleeHops).keys(),
      ...reachOfAll(failing, graph, 'callers', callerHops).keys(),
    ]),
  ];
}

/** The other way round: the services whose alerts a change of `service` may be behind. */
export function servicesTouchedBy(service: string, graph: ServiceGraph): string[] {
  const known = graph.services.find((each) => sameCase(each) === sameCase(service)) ?? service;
  const callers = reach(graph, known, 'callers', calleeHops).keys();
  return [...new Set([service, ...callers, ...reach(graph, known, 'callees', callerHops).keys()])];
}

/**
 * How likely each change is behind an incident that began at `startedAt`, best first; those that can't be, and those
 * that hardly are, are left out, and so is what tells of the same version again. Time, service, environment and type
 * multiply; what people said of this service's
 * earlier changes moves the odds.
 */
export function scoreChanges(args: {
  changes: readonly CandidateChange[];
  /** Of the incident's first alert, in milliseconds. */
  startedAt: number;
  /** Of the incident's alerts. */
  services: readonly string[];
  /** Of the incident's alerts; empty where they say none. */
  environments: readonly string[];
  graph: ServiceGraph;
  /** By service. */
  history: ReadonlyMap<string, ChangeHistory>;
}): ScoredChange[] {
  const relations = relationsOf(args.services, args.graph);
  const environments = new Set(args.environments.map(sameCase));
  const scored = args.changes
    .flatMap((change) => {
      const gap = args.startedAt - change.at;
      const relation = relationTo(change.service, relations);
      if (gap > lookBackMs || gap < -clockSkewMs || relation === undefined) return [];
      const environment = environmentOf(change.environment, environments);
      const past = change.service === null ? undefined : args.history.get(change.service);
      const likelihood = relation.weight * timeWeight(gap) * typeWeights[change.type] * environment.weight;
      const score = byHistory(Math.min(likelihood, highest), past);
      if (score < lowest) return [];
      const reasons = [
        relation.reason,
        `${gapWords(gap)} the first alert`,
        typeReasons[change.type],
        ...environment.reasons,
        ...statusReasons[change.status],
        ...historyReasons(change.service, past),
      ];
      return [{ ...change, score, reasons, sentence: sentenceOf(change, gap, score) }];
    })
    .sort((a, b) => b.score - a.score || b.at - a.at || b.id - a.id);
  return scored.filter((change, index) => !scored.slice(0, index).some((better) => isSame(better, change)));
}

/** A push, the run that builds it and the deployment of it are told of one by one; one version came, and once. */
function isSame(a: CandidateChange, b: CandidateChange): boolean {
  if (a.service === null || a.version === null) return false;
  if (a.service !== b.service || a.version !== b.version) return false;
  return a.environment === null || b.environment === null || a.environment === b.environment;
}

interface Relation {
  weight: number;
  reason: string;
}

/** Names of services come from as many systems as there are sources; case is none of their meaning. */
const sameCase = (name: string): string => name.toLowerCase();

/** The closest relation of each service to one of those that fail. */
function relationsOf(services: readonly string[], graph: ServiceGraph): Map<string, Relation> {
  const relations = new Map<string, Relation>();
  const relate = (service: string, relation: Relation) => {
    const known = relations.get(sameCase(service));
    if (!known || known.weight < relation.weight) relations.set(sameCase(service), relation);
  };
  for (const [service, { hops, from }] of reachOfAll(services, graph, 'callees', calleeHops)) {
    const reason = hops === 0 ? `it changed ${service} itself` : `${from} calls ${service}${overHops(hops)}`;
    relate(service, { weight: calleeRelation[hops] ?? 0, reason });
  }
  for (const [service, { hops, from }] of reachOfAll(services, graph, 'callers', callerHops)) {
    relate(service, {
      weight: callerRelation[hops] ?? 0,
      reason: `${service} calls ${from}${overHops(hops)}`,
    });
  }
  return relations;
}

const overHops = (hops: number): string => (hops === 1 ? '' : `, over ${hops} hops`);

/** Hops to all that any of `services` reaches, and from which of them; one walk, however many services fail. */
function reachOfAll(
  services: readonly string[],
  graph: ServiceGraph,
  direction: 'callees' | 'callers',
  most: number,
): Map<string, { hops: number; from: string }> {
  const reached = new Map(services.map((service) => [service, { hops: 0, from: service }]));
  let edge = [...reached.keys()];
  for (let hops = 1; hops <= most && edge.length > 0; hops++) {
    const next: string[] = [];
    for (const service of edge) {
      const from = reached.get(service)?.from ?? service;
      for (const to of graph[direction](service)) {
        if (reached.has(to)) continue;
        reached.set(to, { hops, from });
        next.push(to);
      }
    }
    edge = next;
  }
  return reached;
}

function relationTo(service: string | null, relations: Map<string, Relation>): Relation | undefined {
  if (service !== null) return relations.get(sameCase(service));
  return { weight: unnamedRelation, reason: 'it names no service, so that it may touch any' };
}

function timeWeight(gap: number): number {
  return timeFloor + (1 - timeFloor) * 2 ** (-Math.max(0, gap) / halfLifeMs);
}

function environmentOf(
  environment: string | null,
  failing: Set<string>,
): { weight: number; reasons: string[] } {
  if (environment === null || failing.size === 0) return { weight: 1, reasons: [] };
  return failing.has(sameCase(environment))
    ? { weight: 1, reasons: [`in the same environment, ${environment}`] }
    : { weight: otherEnvironment, reasons: [`in another environment, ${environment}`] };
}

/** Bayes' rule with the square root of the evidence: a few clicks should lead, not decide. */
function byHistory(likelihood: number, past: ChangeHistory | undefined): number {
  if (!past) return likelihood;
  const odds = (likelihood / (1 - likelihood)) * Math.sqrt((past.confirmed + 1) / (past.dismissed + 1));
  return Math.min(highest, odds / (1 + odds));
}

const typeReasons: Record<ChangeType, string> = {
  deployment: 'a deployment',
  infrastructure: 'a change of infrastructure',
  feature_flag: 'a feature flag',
  config: 'a change of configuration',
  code: 'code that was pushed, perhaps not deployed',
  other: 'a change of another kind',
};

const statusReasons: Record<ChangeStatus, string[]> = {
  started: ['it was still going on when it was last heard of'],
  succeeded: [],
  failed: ['it failed'],
  rolled_back: ['it was rolled back'],
};

function historyReasons(service: string | null, past: ChangeHistory | undefined): string[] {
  if (service === null || !past) return [];
  const judged = past.confirmed + past.dismissed;
  if (judged === 0) return [];
  return [
    `${past.confirmed} of ${judged} earlier ${judged === 1 ? 'change' : 'changes'} of ${service} ${past.confirmed === 1 ? 'was confirmed as a cause' : 'were confirmed as causes'}`,
  ];
}

/** '15 min before', or 'in the same minute as' for what a clock's difference may turn round. */
const gapWords = (gap: number): string =>
  gap < 60_000 ? 'in the same minute as' : `${formatDuration(gap)} before`;

/**
 * As `changeWords`, for what everybody reads who sees the incident: of another team's change only that it was, since
 * its title and version are for that team.
 */
export function toldChangeWords(
  change: Pick<CandidateChange, 'service' | 'title' | 'version' | 'previousVersion' | 'ofOtherTeam'>,
): string {
  if (!change.ofOtherTeam) return changeWords(change);
  return change.service === null ? "another team's change" : `a change of ${change.service}`;
}

/** 'payment-service v2.3.0 → v2.3.1', or the change's title where it tells no version. */
export function changeWords(
  change: Pick<CandidateChange, 'service' | 'title' | 'version' | 'previousVersion'>,
): string {
  const { service, version, previousVersion, title } = change;
  if (version === null) return service === null ? title : `${service}: ${title}`;
  const versions = previousVersion === null ? version : `${previousVersion} → ${version}`;
  return service === null ? `${title} (${versions})` : `${service} ${versions}`;
}

function sentenceOf(change: CandidateChange, gap: number, score: number): string {
  const when = gap < 60_000 ? 'in the same minute' : `${formatDuration(gap)} before`;
  return `Related change detected: ${toldChangeWords(change)}, ${when}, ${Math.round(score * 100)} %`;
}
