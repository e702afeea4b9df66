import type { DependencyRecord, ServiceIncident } from '../../db/services.ts';
import { neighbourhood, reach, type ServiceGraph } from '../../domain/topology/graph.ts';
import type { ServiceKind } from '../../domain/topology/service.ts';
import { type Trouble, troubleIn } from '../../domain/topology/trouble.ts';
import { drawGraph, type GraphNode, type GraphView, nodesDrawn } from './graph-drawing.ts';
import { troubleSentence } from './list-view.ts';
import { countText, serviceHref } from './words.ts';

export interface TopologyQuery {
  /** A service; '' for the whole graph. */
  around: string;
  hops: number;
}

export const hopChoices = [1, 2, 3, 4];

export function parseTopologyQuery(query: Record<string, unknown>): TopologyQuery {
  const { around, hops } = query;
  return {
    around: typeof around === 'string' ? around.trim().slice(0, 200) : '',
    hops: hopChoices.find((known) => String(known) === hops) ?? 2,
  };
}

/** Calls in the table: the API has all. */
const callsShown = 500;

export interface KnownTopology {
  graph: ServiceGraph;
  dependencies: readonly DependencyRecord[];
  incidents: readonly ServiceIncident[];
  kinds: ReadonlyMap<string, ServiceKind>;
}

export function topologyView(query: TopologyQuery, known: KnownTopology) {
  const { graph, dependencies, incidents } = known;
  const trouble = troubleIn(graph, incidents);
  const isKnown = query.around === '' || graph.services.includes(query.around);
  const services = query.around === '' ? byWeight(graph, trouble) : near(graph, query);
  const shown = new Set(isKnown ? services : []);
  const calls = dependencies.filter(({ from, to }) => shown.has(from) && shown.has(to));
  const failing = calls.filter(trouble.passes);
  return {
    around: query.around,
    hops: hopChoices.map((hops) => ({
      value: String(hops),
      label: countText(hops, 'call away', 'calls away'),
      selected: hops === query.hops,
    })),
    sentence: troubleSentence(incidents),
    graph: shown.size === 0 ? null : drawnGraph('topology', [...shown], known, trouble),
    empty: emptyOf(graph, query, isKnown),
    line: `${countText(calls.length, 'call', 'calls')} between ${countText(shown.size, 'service', 'services')}`,
    calls: [...failing, ...calls.filter((call) => !trouble.passes(call))]
      .slice(0, callsShown)
      .map((call) => callRow(call, trouble)),
    callsLeftOut: Math.max(0, calls.length - callsShown),
  };
}

function emptyOf(graph: ServiceGraph, { around }: TopologyQuery, isKnown: boolean) {
  if (!isKnown) return { title: `No call to or from '${around}' is known`, teach: false };
  return graph.services.length === 0 ? { title: 'No call between services is known yet', teach: true } : null;
}

export function callRow(call: DependencyRecord, trouble: Trouble) {
  const { from, to, declared, observedIn, calls, errors, lastSeenAt } = call;
  const how = [...(declared ? ['declared'] : []), ...(observedIn === null ? [] : [`seen in ${observedIn}`])];
  return {
    from,
    fromHref: serviceHref(from),
    to,
    toHref: serviceHref(to),
    how: how.join(', '),
    calls,
    errors: calls === 0 ? '' : partText(errors / calls),
    failing: trouble.passes(call),
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
  };
}

function partText(part: number): string {
  if (part > 0 && part < 0.001) return '< 0.1 %';
  return `${(100 * part).toFixed(part === 0 || part === 1 ? 0 : 1)} %`;
}

/** A drawing of `services`, in the order in which they are given up when there are too many. */
export function drawnGraph(
  id: string,
  services: readonly string[],
  { graph, incidents, kinds }: KnownTopology,
  trouble: Trouble,
): GraphView {
  // in a graph of thousands only the calls between those that can be drawn are looked for
  const drawn = services.slice(0, nodesDrawn);
  const shown = new Set(drawn);
  return drawGraph({
    id,
    title: 'Who calls whom',
    description: `${countText(services.length, 'service', 'services')} and their calls; the table below has the same. ${troubleSentence(incidents)}`,
    nodes: services.map((service) => nodeOf(service, kinds.get(service) ?? 'service', trouble)),
    edges: drawn.flatMap((from) =>
      graph
        .callees(from)
        .filter((to) => shown.has(to))
        .map((to) => ({ from, to, failing: trouble.passes({ from, to }) })),
    ),
  });
}

function nodeOf(service: string, kind: ServiceKind, trouble: Trouble): GraphNode {
  const incidents = trouble.incidents.get(service) ?? [];
  const [first, ...others] = incidents;
  const numbers = others.length > 0 ? `#${first} and ${others.length} more` : `#${first}`;
  const isCause = trouble.causes.has(service);
  return {
    service,
    kind,
    state: isCause ? 'cause' : incidents.length > 0 ? 'failing' : 'quiet',
    note: isCause ? `probable cause, #${first}` : incidents.length > 0 ? `failing, ${numbers}` : null,
    href: serviceHref(service),
  };
}

/** What fails first, then what is between, then by nearness to it and by how much hangs on it. */
function byWeight(graph: ServiceGraph, trouble: Trouble): string[] {
  const core = [...trouble.causes, ...trouble.incidents.keys(), ...trouble.between].filter((service) =>
    graph.services.includes(service),
  );
  const nearness = new Map<string, number>();
  for (const service of core.slice(0, nodesDrawn)) {
    for (const direction of ['callees', 'callers'] as const) {
      for (const [other, hops] of reach(graph, service, direction, 2)) {
        nearness.set(other, Math.min(hops, nearness.get(other) ?? hops));
      }
    }
  }
  const rest = graph.services
    .map((service) => ({
      service,
      hops: nearness.get(service) ?? Number.MAX_SAFE_INTEGER,
      degree: graph.callees(service).length + graph.callers(service).length,
    }))
    .sort((a, b) => a.hops - b.hops || b.degree - a.degree);
  return [...new Set([...core, ...rest.map(({ service }) => service)])];
}

function near(graph: ServiceGraph, { around, hops }: TopologyQuery): string[] {
  return [...neighbourhood(graph, around, hops)];
}
