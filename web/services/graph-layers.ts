import { Graph, layout } from '@dagrejs/dagre';
import { cutToWidth, textWidth } from './graph-text.ts';
import { type Drawing, edgeTitle, type GraphEdge, type GraphNode, titleOf } from './graph-view.ts';

const nameRoom = 168;
const besideName = 44;
const boxHeight = 34;
const boxHeightWithNote = 48;

interface Point {
  x: number;
  y: number;
}

/** Callers on the left, what they call on the right, by dagre (Sugiyama's method). For wide screens. */
export function layersDrawing(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Drawing {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', ranksep: 48, nodesep: 14, edgesep: 8, marginx: 8, marginy: 8 });
  for (const node of nodes) {
    const text = Math.max(textWidth(node.service), textWidth(node.note ?? ''));
    graph.setNode(node.service, {
      width: Math.ceil(Math.min(nameRoom, Math.max(56, text))) + besideName,
      height: node.note === null ? boxHeight : boxHeightWithNote,
    });
  }
  for (const { from, to } of edges) graph.setEdge(from, to, {});
  layout(graph);

  const size = graph.graph();
  return {
    shape: 'wide',
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    edges: edges.map((edge) => ({
      path: smoothPath(graph.edge(edge.from, edge.to).points ?? []),
      failing: edge.failing,
      title: edgeTitle(edge),
    })),
    nodes: nodes.map((node) => {
      const { x, y, width, height } = graph.node(node.service);
      const room = width - besideName;
      return {
        x: round(x - width / 2),
        y: round(y - height / 2),
        width,
        height,
        state: node.state,
        icon: node.kind,
        name: cutToWidth(node.service, room),
        note: node.note === null ? null : cutToWidth(node.note, room),
        title: titleOf(node),
        href: node.href,
      };
    }),
  };
}

/** Through the middles between the points, bent at each. */
function smoothPath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  const last = rest.pop();
  if (!first || !last) return '';
  let path = `M${round(first.x)} ${round(first.y)}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1];
    const to = next ? { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 } : last;
    path += `Q${round(point.x)} ${round(point.y)} ${round(to.x)} ${round(to.y)}`;
  });
  return rest.length > 0 ? path : `${path}L${round(last.x)} ${round(last.y)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
