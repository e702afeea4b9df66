import { layersDrawing } from './graph-layers.ts';
import { rowsDrawing } from './graph-rows.ts';
import type { GivenGraph, GraphView } from './graph-view.ts';

export type { GivenGraph, GraphEdge, GraphNode, GraphView } from './graph-view.ts';

/** More is neither readable nor laid out within the time that a page has (40 services with 90 calls: some 50 ms). */
export const nodesDrawn = 40;
const edgesDrawn = 90;

/** Draws `given` twice, for services/graph.hbs. Some 50 ms for the most that is drawn. */
export function drawGraph(given: GivenGraph): GraphView {
  const nodes = given.nodes.slice(0, nodesDrawn);
  const shown = new Set(nodes.map(({ service }) => service));
  const possible = given.edges.filter(({ from, to }) => from !== to && shown.has(from) && shown.has(to));
  const edges = possible.toSorted((a, b) => Number(b.failing) - Number(a.failing)).slice(0, edgesDrawn);
  const { id, title, description } = given;
  return {
    id,
    title,
    description,
    // the way of the failure lies above the other calls
    drawings: [layersDrawing(nodes, edges.toReversed()), rowsDrawing(nodes, edges.toReversed())],
    omitted: omittedText(given.nodes.length, nodes.length, possible.length, edges.length),
  };
}

function omittedText(nodes: number, drawn: number, edges: number, edgesShown: number): string | null {
  const parts = [
    ...(drawn < nodes ? [`${drawn} of ${nodes} services`] : []),
    ...(edgesShown < edges ? [`${edgesShown} of their ${edges} calls`] : []),
  ];
  return parts.length > 0 ? `${parts.join(' and ')} are drawn.` : null;
}
