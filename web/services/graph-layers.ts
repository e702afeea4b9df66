import { Graph, layout } from '@dagrejs/dagre';
import { cutToWidth, textWidth } from './graph-text.ts';
import { type Drawing, edgeTitle, type GraphEdge, type GraphNode, titleOf } from './graph-view.ts';

const nameRoom = 140;
const noteRoom = 172;
const besideName = 42;
/** Scaled into some 940 px, its type is still 11 px high. */
const widestScaled = 1120;
const boxHeight = 34;
const boxHeightWithNote = 48;

interface Point {
  x: number;
  y: number;
}

/** Its middle and its size. */
interface Box extends Point {
  width: number;
  height: number;
}
const nowhere: Box = { x: 0, y: 0, width: 0, height: 0 };

/** Callers on the left, what they call on the right, by dagre (Sugiyama's method). For wide screens. */
export function layersDrawing(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Drawing {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', ranksep: 44, nodesep: 14, edgesep: 8, marginx: 8, marginy: 8 });
  for (const node of nodes) {
    const text = Math.max(
      Math.min(nameRoom, textWidth(node.service)),
      Math.min(noteRoom, textWidth(node.note ?? '')),
    );
    graph.setNode(node.service, {
      width: Math.ceil(Math.max(56, text)) + besideName,
      height: node.note === null ? boxHeight : boxHeightWithNote,
    });
  }
  // heavier calls are kept straight
  for (const { from, to, failing } of edges) graph.setEdge(from, to, { weight: failing ? 8 : 1 });
  layout(graph);

  const boxes = new Map(nodes.map(({ service }) => [service, graph.node(service)]));
  // boxes of one layer are as wide as its widest, for which there is room
  const layers = Map.groupBy(boxes.values(), ({ x }) => Math.round(x));
  for (const layer of layers.values()) {
    const widest = Math.max(...layer.map(({ width }) => width));
    for (const box of layer) box.width = widest;
  }
  const size = graph.graph();
  return {
    shape: 'wide',
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    fits: (size.width ?? 0) <= widestScaled,
    edges: edges.map((edge) => ({
      path: callPath(boxes.get(edge.from), boxes.get(edge.to), graph.edge(edge.from, edge.to).points ?? []),
      failing: edge.failing,
      title: edgeTitle(edge),
    })),
    nodes: nodes.map((node) => {
      const { x, y, width, height } = boxes.get(node.service) ?? nowhere;
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

/** From side to side, level at both ends, through the points that dagre keeps clear of other boxes. */
function callPath(from: Box = nowhere, to: Box = nowhere, points: readonly Point[]): string {
  const side = from.x < to.x ? 1 : -1;
  const way = [
    { x: from.x + (side * from.width) / 2, y: from.y },
    // the first and the last lie on the boxes; a single bend is only where dagre would put a label
    ...(points.length > 3 ? points.slice(1, -1) : []),
    { x: to.x - (side * to.width) / 2, y: to.y },
  ];
  let path = '';
  way.forEach((point, index) => {
    const before = way[index - 1];
    if (!before) {
      path = `M${round(point.x)} ${round(point.y)}`;
      return;
    }
    const middle = round((before.x + point.x) / 2);
    path += `C${middle} ${round(before.y)} ${middle} ${round(point.y)} ${round(point.x)} ${round(point.y)}`;
  });
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
