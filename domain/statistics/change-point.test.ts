import { describe, expect, test } from 'vitest';
import { changePoint } from './change-point.ts';

const around = (level: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => level + ((i * 7) % 11) - 5);

describe('a change point', () => {
  test('is where the level changes, up or down', () => {
    expect(changePoint([...around(100, 60), ...around(150, 10)])?.index).toBe(60);
    expect(changePoint([...around(100, 60), ...around(50, 10)])?.index).toBe(60);
  });

  test('weighs little where there is none', () => {
    const none = changePoint(around(100, 66))?.weight ?? 0;
    const some = changePoint([...around(100, 60), ...around(150, 6)])?.weight ?? 0;
    expect(none).toBeLessThan(4);
    expect(some).toBeGreaterThan(10);
  });

  test('is not one outlier', () => {
    const values = around(100, 66);
    values[50] = 1e9;
    expect(changePoint(values)?.weight).toBeLessThan(5);
  });

  test('is found in a series that was constant', () => {
    expect(changePoint([0, 0, 0, 0, 0, 0, 3, 3])).toMatchObject({ index: 6 });
    expect(changePoint([5, 5, 5, 5, 5, 5, 5])).toBeUndefined();
  });

  test('needs six values', () => {
    expect(changePoint([1, 2, 3, 4, 5])).toBeUndefined();
  });
});
