import { tellingWeight } from './keys.ts';
import { type LabelEvidence, labelEvidence, together } from './label-evidence.ts';
import { isKnown } from './neighbourhood.ts';
import type { CandidateIncident, Decision, NewAlert, Snapshot } from './snapshot.ts';
import { textSimilarity } from './text-similarity.ts';
import { type TopologyEvidence, type TopologyQuestion, topologyEvidence } from './topology-evidence.ts';

type Joining = Extract<Decision, { action: 'join' }>;

/** An incident that the alert may belong to, and why. */
interface Match {
  incident: CandidateIncident;
  /** 0 to 1. */
  weight: number;
  topology: TopologyEvidence | null;
  labels: LabelEvidence | null;
}

/**
 * Where an alert belongs. The same alert again joins its incident, then what a person decided counts, then the
 * evidence: how the services call each other and which labels they share, each the less the longer ago it is. An
 * incident that a person called a false positive, or split this alert from, is joined by nothing.
 */
export function correlate(snapshot: Snapshot, alert: NewAlert): Decision {
  const joinable = snapshot.candidates
    .filter(({ falsePositive, apart }) => !falsePositive && !apart)
    .toSorted((a, b) => b.lastAlertAt - a.lastAlertAt || a.number - b.number);
  const same = joinable.find(({ sameFingerprint }) => sameFingerprint);
  if (same) return join(same, 'same alert', 'the same alert again');
  const grouped = joinable.find(({ sameGroup }) => sameGroup);
  if (grouped) return join(grouped, 'person', 'a person grouped this alert with one of its alerts');
  return byEvidence(snapshot, alert, joinable);
}

function byEvidence(snapshot: Snapshot, alert: NewAlert, joinable: CandidateIncident[]): Decision {
  const { rules } = snapshot;
  const recent = joinable.filter(({ lastAlertAt }) => snapshot.now - lastAlertAt <= rules.lookBackMs);
  const matches = matchAll(snapshot, alert, recent).filter(({ weight }) => weight >= rules.threshold);
  const best = bestOf(alert, matches);
  if (!best) return { action: 'create', reason: reasonToCreate(recent.length) };
  const merge = matches
    .filter(({ incident, topology }) => incident !== best.incident && !incident.resolved && topology?.deeper)
    .filter(({ topology }) => (topology?.weight ?? 0) >= rules.threshold)
    .map(({ incident, topology }) => ({
      incidentId: incident.incidentId,
      number: incident.number,
      reason: topology?.reason ?? '',
    }));
  const by = (best.topology?.weight ?? 0) >= (best.labels?.weight ?? 0) ? 'topology' : 'labels';
  return join(best.incident, by, reasonOf(best), merge);
}

function matchAll({ graph, rules }: Snapshot, alert: NewAlert, recent: CandidateIncident[]): Match[] {
  const failing = new Set(recent.flatMap(({ services }) => services.map(({ service }) => service)));
  const { service } = alert;
  if (service !== null) failing.add(service);
  const counted = new Map<string, number>();
  const question: TopologyQuestion = {
    graph,
    rules,
    isFailing: (one) => one !== service && failing.has(one),
    failingCallers: (callee) => {
      const count =
        counted.get(callee) ?? graph.callers(callee).filter((caller) => failing.has(caller)).length;
      counted.set(callee, count);
      return count;
    },
  };
  return recent.map((incident) => {
    const topology = service === null ? null : topologyEvidence(question, { ...alert, service }, incident);
    const unrelated =
      topology === null &&
      service !== null &&
      isKnown(graph, service) &&
      incident.services.some((other) => isKnown(graph, other.service));
    const labels = labelEvidence(alert, incident, rules, unrelated);
    return { incident, topology, labels, weight: together([topology?.weight ?? 0, labels?.weight ?? 0]) };
  });
}

/** Evidence that differs by less than this is a tie. */
const tie = 0.02;

/**
 * The weightiest, then one that is not over, since joining it opens nothing again, then the one whose alerts sound
 * most alike, then the one with the nearest alert.
 */
function bestOf(alert: NewAlert, matches: Match[]): Match | undefined {
  const most = Math.max(...matches.map(({ weight }) => weight));
  const alike = ({ incident }: Match) =>
    Math.max(0, ...incident.names.map((name) => textSimilarity(alert.name, name)));
  const gap = ({ topology, labels }: Match) => topology?.gapMs ?? labels?.gapMs ?? 0;
  return matches
    .filter(({ weight }) => weight >= most - tie)
    .toSorted(
      (a, b) =>
        Number(a.incident.resolved) - Number(b.incident.resolved) ||
        alike(b) - alike(a) ||
        gap(a) - gap(b) ||
        a.incident.number - b.incident.number,
    )[0];
}

function join(
  { incidentId, number }: CandidateIncident,
  by: Joining['by'],
  why: string,
  merge: Joining['merge'] = [],
): Joining {
  return { action: 'join', incidentId, number, reason: `joined #${number}: ${why}`, by, merge };
}

function reasonOf({ topology, labels }: Match): string {
  const pieces = [topology, labels]
    .filter((piece) => piece !== null)
    .sort((a, b) => b.weight - a.weight)
    .filter(({ weight }, index) => index === 0 || weight >= tellingWeight);
  const seconds = Math.round((pieces[0]?.gapMs ?? 0) / 1000);
  return `${pieces.map(({ reason }) => reason).join(', ')}, ${seconds} s apart`;
}

function reasonToCreate(recent: number): string {
  if (recent === 0) return 'no open incident shares its service, a label that counts, or a dependency';
  return `nothing ties it closely enough to ${recent === 1 ? 'the open incident' : `any of ${recent} open incidents`} near it`;
}
