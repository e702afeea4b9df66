import type { DependencyRecord, ServiceIncident, ServiceRecord } from '../../db/services.ts';
import { blastRadius, neighbourhood, serviceGraph } from '../../domain/topology/graph.ts';
import { troubleIn } from '../../domain/topology/trouble.ts';
import { severityMarks } from '../layout/words.ts';
import { callRow, drawnGraph, type KnownTopology } from './topology-view.ts';
import { countText, incidentHref, kindWords, namesText, serviceHref, standingOf } from './words.ts';

/** Of the blast radius: who wants more asks the API. */
const radiusShown = 50;

export function serviceView(
  service: ServiceRecord,
  known: KnownTopology & { callers: readonly DependencyRecord[]; callees: readonly DependencyRecord[] },
) {
  const { name } = service;
  const trouble = troubleIn(known.graph, known.incidents);
  const own = known.incidents.filter((incident) => incident.service === name);
  const radius = blastRadius(known.graph, name);
  const around = [...neighbourhood(known.graph, name, 1)];
  return {
    name,
    kind: kindWords[service.kind],
    icon: service.kind,
    state: standingOf(own),
    team: service.team,
    how: service.declared ? 'declared' : 'learned',
    lastSeenAt: service.lastSeenAt.toISOString(),
    description: service.description === '' ? null : service.description,
    sentence: sentenceOf(name, own, known.callers, radius),
    incidents: own.map(incidentRow),
    graph: around.length > 1 ? drawnGraph('around', around, ofItself(known, name), trouble) : null,
    graphHref: `/topology?around=${encodeURIComponent(name)}`,
    callers: known.callers.map((call) => neighbourRow(call.from, callRow(call, trouble))),
    callees: known.callees.map((call) => neighbourRow(call.to, callRow(call, trouble))),
    radius: radiusGroups(radius),
    radiusCount: radius.length,
    changesHref: `/changes?service=${encodeURIComponent(name)}`,
    incidentsHref: `/incidents?status=all&window=7d&service=${encodeURIComponent(name)}`,
    editHref: `${serviceHref(name)}/edit`,
  };
}

/** Without the calls between its neighbours: they are seen further around. */
function ofItself(known: KnownTopology, name: string): KnownTopology {
  const own = [
    ...known.graph.callers(name).map((from) => ({ from, to: name })),
    ...known.graph.callees(name).map((to) => ({ from: name, to })),
  ];
  return { ...known, graph: serviceGraph(own) };
}

function neighbourRow(name: string, row: ReturnType<typeof callRow>) {
  return { ...row, other: { name, href: serviceHref(name) } };
}

function incidentRow({ number, title, severity, openedAt, isCause }: ServiceIncident) {
  return {
    number,
    title,
    href: incidentHref(number),
    severity: severityMarks[severity],
    openedAt: openedAt.toISOString(),
    isCause,
  };
}

/** What is wrong with it, and what hangs on it. */
function sentenceOf(
  name: string,
  incidents: readonly ServiceIncident[],
  callers: readonly DependencyRecord[],
  radius: readonly { service: string }[],
): string {
  const numbers = namesText(incidents.map(({ number }) => `#${number}`));
  const causes = incidents.filter(({ isCause }) => isCause).length;
  const what = causes < incidents.length ? 'one comes' : causes === 1 ? 'it comes' : 'they come';
  const cause = causes > 0 ? `, and is probably where ${what} from` : '';
  const state =
    incidents.length === 0
      ? `Nothing is known to be wrong with ${name}.`
      : `${name} is part of ${numbers}${cause}.`;
  if (callers.length === 0) return `${state} Nothing is known to call it.`;
  const direct = namesText(callers.map(({ from }) => from));
  const indirect = radius.length - callers.length;
  const more =
    indirect > 0 ? `, and ${countText(indirect, 'other service', 'other services')} through them` : '';
  return `${state} When it fails, so ${callers.length + indirect === 1 ? 'does' : 'do'} ${direct}${more}.`;
}

function radiusGroups(radius: readonly { service: string; hops: number }[]) {
  const shown = Map.groupBy(radius.slice(0, radiusShown), ({ hops }) => hops);
  return [...shown].map(([hops, services]) => ({
    label: hops === 1 ? 'Directly' : `Over ${hops} calls`,
    services: services.map(({ service }) => ({ name: service, href: serviceHref(service) })),
  }));
}
