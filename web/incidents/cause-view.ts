import type { IncidentHead } from '../../db/incident-detail.ts';
import type { IncidentAnalysis, Surroundings } from '../../db/incident-evidence.ts';
import { nameOf, type People } from '../../domain/people.ts';
import type { Cause } from '../../domain/root-cause/cause.ts';
import { failingPath } from '../../domain/topology/failing-path.ts';
import { serviceGraph } from '../../domain/topology/graph.ts';
import { drawGraph, type GraphView } from '../services/graph-drawing.ts';

/** Where the trouble probably comes from, with what speaks for it. */
export interface CauseView {
  /** Null while nothing points anywhere. */
  first: CandidateView | null;
  /** The weightiest of its reasons: said at once, the others behind 'why'. */
  lead: string | null;
  /** Who confirmed or corrected it. */
  by: string | null;
  others: CandidateView[];
  graph: GraphView | null;
  notes: string[];
  analysedAt: string | null;
  /** What a person may say that it was instead. */
  choices: string[];
  over: boolean;
}

export interface CandidateView {
  service: string;
  href: string;
  percent: string;
  /** 0 to 62: the width of its bar in pixels. */
  bar: number;
  reasons: string[];
}

export interface CauseInput {
  incident: IncidentHead;
  analysis: IncidentAnalysis;
  surroundings: Surroundings;
  people: People;
}

const othersShown = 4;
/** What would read '0 %' is no candidate. */
const leastShown = 0.005;
const reasonsShown = 8;
const servicesDrawn = 14;
const barWidth = 62;

export function causeView({ incident, analysis, surroundings, people }: CauseInput): CauseView {
  const { causeService, causeBy } = incident;
  const first = firstOf(incident, analysis.causes);
  return {
    first: first && candidateView({ ...first, reasons: first.reasons.slice(1) }),
    lead: first?.reasons[0] ?? null,
    by: causeBy === null ? null : nameOf(people, causeBy),
    others: analysis.causes
      .filter(({ service, confidence }) => service !== first?.service && confidence >= leastShown)
      .slice(0, othersShown)
      .map(candidateView),
    graph: graphOf(incident, first?.service ?? null, surroundings),
    notes: analysis.notes,
    analysedAt: analysis.analysedAt?.toISOString() ?? null,
    choices: [
      ...new Set([
        ...analysis.causes.map(({ service }) => service),
        ...incident.services.map(({ service }) => service),
        ...surroundings.dependencies.map(({ to }) => to),
      ]),
    ]
      .filter((service) => service !== causeService)
      .slice(0, 100),
    over: incident.resolvedAt !== null,
  };
}

/** A person's word stands before the ranking, also where the ranking never thought of it. */
function firstOf(incident: IncidentHead, causes: readonly Cause[]): Cause | null {
  const { causeService, causeConfidence } = incident;
  if (causeService === null) return causes[0] ?? null;
  const ranked = causes.find(({ service }) => service === causeService);
  return {
    service: causeService,
    score: ranked?.score ?? 1,
    confidence: causeConfidence ?? ranked?.confidence ?? 0,
    reasons: ranked?.reasons ?? [],
  };
}

function candidateView({ service, confidence, reasons }: Cause): CandidateView {
  return {
    service,
    href: serviceHref(service),
    percent: `${Math.round(confidence * 100)} %`,
    bar: Math.max(2, Math.round(barWidth * Math.min(1, confidence))),
    reasons: reasons.slice(0, reasonsShown),
  };
}

const serviceHref = (service: string): string => `/services/${encodeURIComponent(service)}`;

/** The way of the failure; null where fewer than two services are on it. */
function graphOf(
  incident: IncidentHead,
  cause: string | null,
  { dependencies, kinds }: Surroundings,
): GraphView | null {
  const alerts = new Map(incident.services.map((service) => [service.service, service]));
  const failing = new Set([...(cause === null ? [] : [cause]), ...alerts.keys()]);
  const path = failingPath(serviceGraph(dependencies), failing);
  if (path.dependencies.length === 0) return null;
  const joined = new Set(path.dependencies.flatMap(({ from, to }) => [from, to]));
  const services = [
    ...path.services.filter((service) => service === cause),
    ...path.services.filter((service) => service !== cause && joined.has(service)),
  ].slice(0, servicesDrawn);
  return drawGraph({
    id: 'failing-path',
    title: 'How the services of this incident call each other',
    description: path.dependencies
      .map(({ from, to }) => `${from} calls ${to}`)
      .slice(0, servicesDrawn)
      .join('; '),
    nodes: services.map((service) => ({
      service,
      kind: kinds.get(service) ?? 'service',
      state: service === cause ? 'cause' : alerts.has(service) ? 'failing' : 'quiet',
      note: service === cause ? causeWord(incident) : alertsWord(alerts.get(service)?.alerts ?? 0),
      href: serviceHref(service),
    })),
    edges: path.dependencies.map((dependency) => ({ ...dependency, failing: true })),
  });
}

const causeWord = ({ causeBy }: IncidentHead): string => (causeBy === null ? 'probable cause' : 'cause');

const alertsWord = (alerts: number): string | null =>
  alerts === 0 ? null : `${alerts} ${alerts === 1 ? 'alert' : 'alerts'}`;
