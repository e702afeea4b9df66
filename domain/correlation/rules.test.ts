import { describe, expect, test } from 'vitest';
import { serviceGraph } from '../topology/graph.ts';
import { correlationKeys, rememberedKeys } from './keys.ts';
import { defaultCorrelationRules, readCorrelationRules, writtenCorrelationRules } from './rules.ts';

describe('rules', () => {
  test('what is left out is as by default', () => {
    expect(readCorrelationRules(null)).toEqual(defaultCorrelationRules);
    expect(readCorrelationRules({})).toEqual(defaultCorrelationRules);
    expect(readCorrelationRules({ topologyHops: 3, flapping: { quiet: '5m' }, reopenWindow: '1h' })).toEqual({
      ...defaultCorrelationRules,
      topologyHops: 3,
      reopenWindowMs: 3_600_000,
      flapping: { ...defaultCorrelationRules.flapping, quietMs: 300_000 },
    });
  });

  test('as they were stored before, with a list of labels, they are still read', () => {
    expect(readCorrelationRules({ window: '2m', labels: ['host', 'rack'] })).toEqual({
      ...defaultCorrelationRules,
      windowMs: 120_000,
      labelWeights: { host: 0.6, rack: 0.6 },
    });
  });

  test('evidence is never older than a day, also where that was stored before', () => {
    for (const name of ['window', 'lookBack']) {
      expect(writtenCorrelationRules.safeParse({ [name]: '24h' }).success).toBe(true);
      expect(writtenCorrelationRules.safeParse({ [name]: '25h' }).success).toBe(false);
    }
    expect(readCorrelationRules({ window: '2d', lookBack: '30d' })).toMatchObject({
      windowMs: 86_400_000,
      lookBackMs: 86_400_000,
    });
  });

  test('weights are shares, durations are text, and unknown keys are refused', () => {
    for (const wrong of [{ labels: { host: 2 } }, { window: 300 }, { hops: 2 }, { threshold: 0 }]) {
      expect(writtenCorrelationRules.safeParse(wrong).success).toBe(false);
    }
  });
});

describe('keys', () => {
  const labels = { host: 'n1', namespace: 'shop', severity: 'critical' };
  const alert = { service: 'api', name: 'HighLatency', labels, at: 0 };

  test('an alert is remembered by its service, the labels that count, and its name', () => {
    expect(rememberedKeys(alert, defaultCorrelationRules)).toEqual([
      'service=api',
      'label.host=n1',
      'label.namespace=shop',
      'name=HighLatency',
    ]);
  });

  test('incidents are looked for by what tells enough, and by services that may be related', () => {
    const graph = serviceGraph(
      ['web>api', 'api>db', 'batch>db', 'far>farther'].map((call) => {
        const [from = '', to = ''] = call.split('>');
        return { from, to };
      }),
    );
    expect(correlationKeys(alert, graph, defaultCorrelationRules).sort()).toEqual([
      'label.host=n1',
      'service=api',
      'service=batch',
      'service=db',
      'service=web',
    ]);
  });

  test('values are bounded, and so is their number', () => {
    const hub = serviceGraph(Array.from({ length: 2000 }, (_, i) => ({ from: `s${i}`, to: 'hub' })));
    const asked = correlationKeys(
      { ...alert, service: 'hub', labels: { host: 'x'.repeat(9000) } },
      hub,
      defaultCorrelationRules,
    );
    expect(asked).toHaveLength(500);
    expect(Math.max(...asked.map(({ length }) => length))).toBeLessThan(450);
  });
});
