import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeLayout } from './describe.ts';
import { layOut } from './lay-out.ts';
import { matchRunbooks } from './match.ts';
import { parseRunbook } from './parse.ts';

const folder = new URL('../../runbooks/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const definitions = files.map((file) => {
  const parsed = parseRunbook(readFileSync(new URL(file, folder), 'utf8'), file);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.definition;
});

describe('the runbooks that ship', () => {
  it('are valid, describe every step and are called by some alert', () => {
    expect(definitions.map(({ name }) => name).sort()).toEqual([
      'clear-disk',
      'demo-recycle-connections',
      'flush-cache',
      'restart-service',
    ]);
    for (const definition of definitions) {
      const values = Object.fromEntries(
        Object.keys(definition.inputs).map((name) => [
          name,
          name.endsWith('_url') ? 'http://checkout.internal/' : 'checkout',
        ]),
      );
      const laid = layOut({
        runbook: { definition, version: 1 },
        catalog: new Map(),
        sources: { given: values },
      });
      if ('problems' in laid) throw new Error(`${definition.name}: ${laid.problems.join()}`);
      expect(describeLayout(laid.layout).length).toBeGreaterThan(1);
      expect(definition.triggers.length).toBeGreaterThan(0);
    }
  });

  it('answer the alerts that they are for', () => {
    const called = (alertName: string) =>
      matchRunbooks(definitions, { alertName, severity: 'critical', labels: {} }).map(({ name }) => name);
    expect(called('ServiceDownCheckout')).toEqual(['restart-service']);
    expect(called('DiskWillFillIn4Hours')).toEqual(['clear-disk']);
    expect(called('CacheStale')).toEqual(['flush-cache']);
    expect(called('DatabaseConnectionsExhausted')).toEqual(['demo-recycle-connections']);
  });
});
