import { isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import type { PlacedProblem } from './problems.ts';

/** Where in the source the value (or the key) at `place` stands, or the nearest that there is around it. */
export function offsetOf(source: string, root: Node, { place, near, atKey }: PlacedProblem): number {
  let node: unknown = root;
  let offset = root.range?.[0] ?? 0;
  for (const part of place) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
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
