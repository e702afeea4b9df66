import { describe, expect, test } from 'vitest';
import { drawGraph, type GraphNode } from './graph-drawing.ts';
import { cutToWidth, textWidth } from './graph-text.ts';
import type { Drawing } from './graph-view.ts';

function node(service: string, state: GraphNode['state'] = 'quiet', note: string | null = null): GraphNode {
  return { service, kind: 'service', state, note, href: null };
}

function edge(from: string, to: string, failing = false) {
  return { from, to, failing };
}

function draw(nodes: GraphNode[], edges: ReturnType<typeof edge>[]) {
  return drawGraph({ id: 'graph', title: 'Services', description: 'Who calls whom', nodes, edges });
}

function overlaps({ nodes }: Drawing): string[] {
  return nodes.flatMap((a, index) =>
    nodes
      .slice(index + 1)
      .filter(
        (b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height,
      )
      .map((b) => `${a.title} and ${b.title}`),
  );
}

describe('the drawing of a graph', () => {
  const awkward = draw(
    [
      node('web', 'failing', '3 alerts'),
      node('a-service-with-a-name-that-somebody-made-very-long-indeed-v2-canary'),
      node('db', 'cause', 'probable cause'),
      node('خدمة-الدفع'),
      node('決済サービスのエラー率が上昇しています'),
      node('loner'),
    ],
    [
      edge('web', 'db', true),
      edge('db', 'web'),
      edge('web', 'خدمة-الدفع'),
      edge('خدمة-الدفع', 'db'),
      edge('db', 'db'),
      edge('web', 'not drawn'),
    ],
  );

  test.each(awkward.drawings.map((drawing) => [drawing.shape, drawing] as const))(
    '%s: every service once, none over another, all inside',
    (_, drawing) => {
      expect(drawing.nodes).toHaveLength(6);
      expect(overlaps(drawing)).toEqual([]);
      for (const { x, y, width, height, name } of drawing.nodes) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(x + width).toBeLessThanOrEqual(drawing.width);
        expect(y + height).toBeLessThanOrEqual(drawing.height);
        expect(textWidth(name)).toBeLessThanOrEqual(width - 36);
      }
      expect(drawing.edges.map(({ title }) => title).toSorted()).toEqual([
        'db calls web',
        'web calls db, on the way of the failure',
        'web calls خدمة-الدفع',
        'خدمة-الدفع calls db',
      ]);
      for (const { path } of drawing.edges) expect(path).toMatch(/^M[\d. -]+[CQHV][\d. CQHV-]+$/);
    },
  );

  test('row by row callers stand above what they call, also where names come in another order', () => {
    const { drawings } = draw(
      [node('db'), node('api'), node('web')],
      [edge('web', 'api'), edge('api', 'db')],
    );
    const rows = drawings[1]?.nodes.toSorted((a, b) => a.y - b.y);
    expect(rows?.map(({ name }) => name)).toEqual(['web', 'api', 'db']);
  });

  test('of too many services the first are drawn, of too many calls those of the failure first, and it says so', () => {
    const nodes = Array.from({ length: 60 }, (_, index) => node(`s${index}`));
    const edges = nodes.flatMap(({ service }, from) =>
      nodes.slice(from + 1).map((callee) => edge(service, callee.service, service === 's38')),
    );
    const view = draw(nodes, edges);
    expect(view.drawings.map((drawing) => [drawing.nodes.length, drawing.edges.length])).toEqual([
      [40, 90],
      [40, 90],
    ]);
    expect(view.drawings[0]?.edges.map(({ title }) => title)).toContain(
      's38 calls s39, on the way of the failure',
    );
    expect(view.omitted).toBe('40 of 60 services and 90 of their 780 calls are drawn.');
    expect(awkward.omitted).toBeNull();
  });

  test('nothing at all is drawn as nothing', () => {
    expect(draw([], []).drawings.map(({ nodes }) => nodes)).toEqual([[], []]);
  });
});

test('a text is cut behind a whole letter with its marks', () => {
  expect(cutToWidth('checkout', 200)).toBe('checkout');
  const cut = cutToWidth('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 160);
  expect(cut).toMatch(/^(👩‍👩‍👧‍👦)+…$/u);
});
