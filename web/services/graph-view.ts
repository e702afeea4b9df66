import type { ServiceKind } from '../../domain/topology/service.ts';

/** A graph of services as it is asked for; what matters most comes first, in case not all can be drawn. */
export interface GivenGraph {
  /** Unique in its page: ids begin with it. Letters, digits and '-'. */
  id: string;
  title: string;
  /** What it shows, in a sentence, for those who don't see it. */
  description: string;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
}

export interface GraphNode {
  service: string;
  kind: ServiceKind;
  /** `cause`: probably where the trouble comes from. */
  state: 'cause' | 'failing' | 'quiet';
  /** A second line, as 'probable cause' or '3 alerts': what is failing says so in words. */
  note: string | null;
  /** Null where the reader may not go there. */
  href: string | null;
}

/** `from` calls `to`. */
export interface GraphEdge {
  from: string;
  to: string;
  /** On the way of the failure. */
  failing: boolean;
}

/** What services/graph.hbs draws: twice, in layers for wide screens and row by row for narrow ones. */
export interface GraphView {
  id: string;
  title: string;
  description: string;
  drawings: Drawing[];
  /** What could not be drawn, in words; null when everything is. */
  omitted: string | null;
}

export interface Drawing {
  /** 'wide' or 'narrow'. */
  shape: 'wide' | 'narrow';
  width: number;
  height: number;
  /** Made smaller where a page is narrower; what is much wider stays as it is, and scrolls. */
  fits: boolean;
  edges: { path: string; failing: boolean; title: string }[];
  nodes: DrawnNode[];
}

/** Coordinates in px, of the box's left upper corner. */
export interface DrawnNode {
  x: number;
  y: number;
  width: number;
  height: number;
  state: GraphNode['state'];
  icon: string;
  /** Cut to the box; the whole name is in `title`. */
  name: string;
  note: string | null;
  title: string;
  href: string | null;
}

/** For the tooltip and screen readers: 'db-primary, database, probable cause'. */
export function titleOf({ service, kind, note }: GraphNode): string {
  return [service, kind, ...(note === null ? [] : [note])].join(', ');
}

export function edgeTitle({ from, to, failing }: GraphEdge): string {
  return `${from} calls ${to}${failing ? ', on the way of the failure' : ''}`;
}
