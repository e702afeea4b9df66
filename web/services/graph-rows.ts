import { backwardCalls } from './graph-cycles.ts';
import { cutToWidth } from './graph-text.ts';
import { type Drawing, edgeTitle, type GraphEdge, type GraphNode, titleOf } from './graph-view.ts';

/** A phone's width without its margins; the drawing is scaled to what there is. */
const width = 340;
const laneWidth = 9;
const lanesAtMost = 9;
const gap = 18;
const boxHeight = 34;
const boxHeightWithNote = 48;
const besideName = 36;

/**
 * One service per row, callers above what they call; calls of neighbours go straight down, the others through lanes
 * on the left, short ones inside. Readable at any width, which layers are not.
 */
export function rowsDrawing(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Drawing {
  const rows = callersFirst(nodes, edges);
  const rowOf = new Map(rows.map(({ service }, row) => [service, row]));
  const calls = edges.map((edge) => ({
    edge,
    from: rowOf.get(edge.from) ?? 0,
    to: rowOf.get(edge.to) ?? 0,
  }));
  const lanes = lanesOf(calls.filter(({ from, to }) => to !== from + 1));
  const lanesUsed = Math.min(lanesAtMost, Math.max(0, ...lanes.values()));
  const left = lanesUsed === 0 ? 4 : 14 + lanesUsed * laneWidth;

  const boxes: { y: number; height: number }[] = [];
  let bottom = 8;
  for (const node of rows) {
    const height = node.note === null ? boxHeight : boxHeightWithNote;
    boxes.push({ y: bottom, height });
    bottom += height + gap;
  }
  const boxOf = (row: number) => boxes[row] ?? { y: 0, height: boxHeight };

  return {
    shape: 'narrow',
    width,
    height: bottom - gap + 8,
    fits: true,
    edges: calls.map(({ edge, from, to }) => {
      const lane = lanes.get(edge);
      const path =
        lane === undefined
          ? straightDown(left + 24, boxOf(from), boxOf(to))
          : throughLane(left, Math.min(lane, lanesAtMost), boxOf(from), boxOf(to));
      return { path, failing: edge.failing, title: edgeTitle(edge) };
    }),
    nodes: rows.map((node, row) => ({
      x: left,
      ...boxOf(row),
      width: width - left - 4,
      state: node.state,
      icon: node.kind,
      name: cutToWidth(node.service, width - left - 4 - besideName),
      note: node.note === null ? null : cutToWidth(node.note, width - left - 4 - besideName),
      title: titleOf(node),
      href: node.href,
    })),
  };
}

function straightDown(x: number, from: { y: number; height: number }, to: { y: number }): string {
  return `M${x} ${from.y + from.height}V${to.y}`;
}

/** Leaves a little below the middle and arrives a little above it, so that a way in and a way out stay apart. */
function throughLane(
  left: number,
  lane: number,
  from: { y: number; height: number },
  to: { y: number; height: number },
): string {
  const x = left - 10 - lane * laneWidth + 4;
  const start = from.y + from.height / 2 + 6;
  const end = to.y + to.height / 2 - 6;
  const bend = end > start ? 6 : -6;
  return `M${left} ${start}H${x + 6}Q${x} ${start} ${x} ${start + bend}V${end - bend}Q${x} ${end} ${x + 6} ${end}H${left}`;
}

interface Call {
  edge: GraphEdge;
  from: number;
  to: number;
}

/** From 1, inside; calls that overlap get different lanes as long as there are some, short ones first. */
function lanesOf(calls: readonly Call[]): Map<GraphEdge, number> {
  const taken: { top: number; bottom: number }[][] = [];
  const lanes = new Map<GraphEdge, number>();
  const span = ({ from, to }: Call) => Math.abs(from - to);
  for (const call of calls.toSorted((a, b) => span(a) - span(b))) {
    const top = Math.min(call.from, call.to);
    const bottom = Math.max(call.from, call.to);
    let lane = 0;
    while (taken[lane]?.some((other) => other.top <= bottom && other.bottom >= top)) lane++;
    taken[lane] = [...(taken[lane] ?? []), { top, bottom }];
    lanes.set(call.edge, lane + 1);
  }
  return lanes;
}

/**
 * Callers above callees, but for the calls that close cycles. A service stands right below its caller where it can,
 * first of all on the way of the failure.
 */
function callersFirst(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): GraphNode[] {
  const backward = backwardCalls(nodes, edges);
  const forward = edges
    .filter((edge) => !backward.has(edge))
    .toSorted((a, b) => Number(b.failing) - Number(a.failing));
  const callsOf = Map.groupBy(forward, ({ from }) => from);
  const callers = new Map<string, number>(nodes.map(({ service }) => [service, 0]));
  for (const { to } of forward) callers.set(to, (callers.get(to) ?? 0) + 1);

  const byName = new Map(nodes.map((node) => [node.service, node]));
  const ready = nodes.filter(({ service }) => callers.get(service) === 0).toReversed();
  const order: GraphNode[] = [];
  for (let node = ready.pop(); node; node = ready.pop()) {
    order.push(node);
    // the last on the pile is next: the first callee, when it waits for nobody else
    for (const { to } of (callsOf.get(node.service) ?? []).toReversed()) {
      const left = (callers.get(to) ?? 0) - 1;
      callers.set(to, left);
      const callee = byName.get(to);
      if (left === 0 && callee) ready.push(callee);
    }
  }
  return order;
}
