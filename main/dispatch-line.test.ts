import { expect, test } from 'vitest';
import { createDispatchLine, lateAfterMs } from './dispatch-line.ts';

/** A storm that never ends, looked at ten times a second, and `workers` that need `serviceMs` and `wayMs` for each. */
function storm(options: { workers: number; serviceMs: number; wayMs: number; seconds: number }) {
  const { workers, serviceMs, wayMs, seconds } = options;
  let now = 0;
  const line = createDispatchLine(10, () => now);
  const freeAt = Array.from({ length: workers }, () => 0);
  const alerts: { at: number; seenAt: number }[] = [];
  let longest = 0;
  for (; now < seconds * 1000; now += 100) {
    const underWay = alerts.filter(({ seenAt }) => seenAt > now);
    const late = underWay.filter(({ at }) => at < now - lateAfterMs).length;
    const free = line.length - underWay.length;
    for (let n = 0; n < free; n++) {
      const next = freeAt.indexOf(Math.min(...freeAt));
      const doneAt = Math.max(now, freeAt[next] ?? 0) + serviceMs;
      freeAt[next] = doneAt;
      alerts.push({ at: now, seenAt: doneAt + wayMs });
    }
    line.look({ isFull: true, late });
    longest = Math.max(longest, line.length);
  }
  const lastSeconds = alerts.filter(({ seenAt }) => seenAt <= now && seenAt > now - 5_000);
  const waits = lastSeconds.map(({ at, seenAt }) => seenAt - at).toSorted((a, b) => a - b);
  return { rate: lastSeconds.length / 5, p99: waits[Math.floor(waits.length * 0.99)] ?? 0, longest };
}

test('grows as long as workers are quick, so that they are never without work', () => {
  const { rate } = storm({ workers: 40, serviceMs: 100, wayMs: 20, seconds: 20 });
  expect(rate).toBeGreaterThan(350); // of 400
});

test('grows too where each takes long to be seen, but many go at once', () => {
  const { rate } = storm({ workers: 20, serviceMs: 200, wayMs: 100, seconds: 20 });
  expect(rate).toBeGreaterThan(90); // of 100; 33 with a line of ten
});

test('stays short where workers are slow, so that what is worse stands behind little', () => {
  const { rate, p99, longest } = storm({ workers: 2, serviceMs: 33, wayMs: 20, seconds: 20 });
  expect(rate).toBeGreaterThan(55); // of 60
  expect(p99).toBeLessThan(800);
  expect(longest).toBeLessThan(50);
});

test('is as short as it may be where nobody sees anything, and again after a storm', () => {
  let now = 0;
  const line = createDispatchLine(10, () => now);
  const look = (found: { isFull: boolean; late: number }) => {
    now += 1_000;
    line.look(found);
  };
  for (let n = 0; n < 50; n++) look({ isFull: true, late: line.length });
  expect(line.length).toBe(10);
  for (let n = 0; n < 50; n++) look({ isFull: true, late: 0 });
  expect(line.length).toBe(100);
  for (let n = 0; n < 50; n++) look({ isFull: false, late: 0 });
  expect(line.length).toBe(10);
});
