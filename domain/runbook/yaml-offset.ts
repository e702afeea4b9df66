import { isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { PlacedProblem } from './problems.ts';

/** Where in the source the value (or the key) at `place` stands, or the nearest that there is around it. */
export function offsetOf(source: string, root: Node, { place, near, atKey }: PlacedProblem): number {
  let node: unknown = root;
  let offset = root.range?.[0] ?? 0;
  for (const part of place) {
    if (isMap(node)) {
      const pair = pairsOf(node).get(String(part));
      if (!pair) return offset;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  if (!isNode(node) || !node.range || isMap(node) || atKey) return offset;
  const within = near ? source.slice(node.range[0], node.range[1]).indexOf(near) : 0;
  return node.range[0] + Math.max(0, within);
}

/** As many problems as keys may be looked for: each mapping is gone through once. */
const known = new WeakMap<YAMLMap, Map<string, Pair>>();

function pairsOf(map: YAMLMap): Map<string, Pair> {
  const present = known.get(map);
  if (present) return present;
  const pairs = new Map<string, Pair>();
  for (const pair of map.items) {
    if (isScalar(pair.key) && !pairs.has(String(pair.key.value))) pairs.set(String(pair.key.value), pair);
  }
  known.set(map, pairs);
  return pairs;
}
