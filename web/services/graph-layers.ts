import { Graph, layout } from '@dagrejs/dagre';
import { backwardCalls } from './graph-cycles.ts';
import { cutToWidth, textWidth } from './graph-text.ts';
import { type Drawing, edgeTitle, type GraphEdge, type GraphNode, titleOf } from './graph-view.ts';

const nameRoom = 126;
const noteRoom = 172;
const besideName = 36;
/** Scaled into some 940 px, its type is still 11 px high. */
const widestScaled = 1120;
const margin = 8;
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
  graph.setGraph({ rankdir: 'LR', ranksep: 32, nodesep: 14, edgesep: 8, marginx: margin });
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
  const backward = backwardCalls(nodes, edges);
  for (const edge of edges) {
    const [left, right] = backward.has(edge) ? [edge.to, edge.from] : [edge.from, edge.to];
    // heavier calls are kept straight
    if (!graph.hasEdge(left, right)) graph.setEdge(left, right, { weight: edge.failing ? 8 : 1 });
  }
  layout(graph);

  const boxes = new Map(nodes.map(({ service }) => [service, graph.node(service)]));
  // boxes of one layer are as wide as its widest, for which there is room
  const layers = Map.groupBy(boxes.values(), ({ x }) => Math.round(x));
  for (const layer of layers.values()) {
    const widest = Math.max(...layer.map(({ width }) => width));
    for (const box of layer) box.width = widest;
  }
  /** Where dagre leads a call, from the caller on. */
  const bendsOf = (edge: GraphEdge): readonly Point[] => {
    if (!backward.has(edge)) return graph.edge(edge.from, edge.to).points ?? [];
    return (graph.edge(edge.to, edge.from).points ?? []).toReversed();
  };
  // dagre's own size leaves out calls that go round everything
  const heights = [...boxes.values()].flatMap(({ y, height }) => [y - height / 2, y + height / 2]);
  const bends = edges.flatMap((edge) => bendsOf(edge).map(({ y }) => y));
  const top = Math.min(...heights, ...bends, 0) - margin;
  const bottom = Math.max(...heights, ...bends, 0) + margin;
  const moved = <T extends Point>(point: T): T => ({ ...point, y: point.y - top });
  const width = Math.ceil(graph.graph().width ?? 0);
  return {
    shape: 'wide',
    width,
    height: Math.ceil(bottom - top),
    fits: width <= widestScaled,
    edges: edges.map((edge) => ({
      path: callPath(
        moved(boxes.get(edge.from) ?? nowhere),
        moved(boxes.get(edge.to) ?? nowhere),
        bendsOf(edge).map(moved),
      ),
      failing: edge.failing,
      title: edgeTitle(edge),
    })),
    nodes: nodes.map((node) => {
      const box = moved(boxes.get(node.service) ?? nowhere);
      const room = box.width - besideName;
      return {
        x: round(box.x - box.width / 2),
        y: round(box.y - box.height / 2),
        width: box.width,
        height: box.height,
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
function callPath(from: Box, to: Box, points: readonly Point[]): string {
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
