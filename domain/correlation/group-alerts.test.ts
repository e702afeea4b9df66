import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serviceGraph } from '../topology/graph.ts';
import { groupAlerts } from './group-alerts.ts';
import { defaultCorrelationRules, readCorrelationRules } from './rules.ts';
import { simulate } from './simulate.ts';
import type { NewAlert } from './snapshot.ts';

/** 'db@10 api@20': services and the seconds at which they fail. */
function alerts(text: string, more: Partial<NewAlert> = {}): NewAlert[] {
  return text.split(' ').map((one) => {
    const [service = '', at] = one.split('@');
    return { service, name: 'HighErrorRate', labels: {}, at: Number(at) * 1000, ...more };
  });
}

function calls(text: string) {
  return text.split(' ').map((one) => {
    const [from = '', to = ''] = one.split('>');
    return { from, to };
  });
}

const shop = calls('web>api api>db web>search search>index mail>queue');

describe('grouping a list of alerts', () => {
  test('is by index, each group and the groups by their first', () => {
    expect(groupAlerts(alerts('web@30 mail@5 db@0 queue@9 api@10'), shop).groups).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
  });

  test('two outages at the same moment stay two, and their common caller goes to one of them', () => {
    const { groups } = groupAlerts(alerts('db@0 index@0 api@10 search@12 web@20'), shop);
    expect(groups.map((group) => group.filter((index) => index < 4))).toEqual([
      [0, 2],
      [1, 3],
    ]);
    expect(groups.flat()).toHaveLength(5);
  });

  test('effects that are told of first do not hold two outages together', () => {
    const { groups, reasons } = groupAlerts(alerts('web@0 api@60 search@10 index@20 db@80'), shop);
    expect(groups).toEqual([
      [0, 2, 3],
      [1, 4],
    ]);
    expect(reasons[0]).toBe('web calls search, 10 s apart');
    expect(reasons[3]).toBe('nothing that it depends on explains it');
  });

  test('a lost alert in the middle of a chain breaks nothing', () => {
    expect(groupAlerts(alerts('db@0 web@20'), shop).groups).toEqual([[0, 1]]);
  });

  test('the same alert again belongs to its first sighting', () => {
    const { groups, reasons } = groupAlerts(alerts('db@0 queue@1 db@600 queue@601 db@1200'), shop);
    expect(groups).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    expect(reasons[4]).toBe('db fails there too');
  });

  test('an alert without a service gets that of its pod', () => {
    const pod = { service: null, name: 'PodCrashLooping', at: 5000, labels: { pod: 'api-7d9f4-x2x4q' } };
    expect(groupAlerts([...alerts('db@0 mail@0'), pod], shop).groups).toEqual([[0, 2], [1]]);
  });

  test('without topology and labels each service is alone', () => {
    expect(groupAlerts(alerts('a@0 b@1 a@2'), []).groups).toEqual([[0, 2], [1]]);
  });

  test('labels group what no topology knows', () => {
    const onHost = alerts('a@0 b@5 c@9', { labels: { host: 'n1' } });
    expect(groupAlerts([...onHost, ...alerts('d@3', { labels: { host: 'n2' } })], []).groups).toEqual([
      [0, 1, 2],
      [3],
    ]);
  });

  test('a broken machine groups services that do not call each other', () => {
    const elsewhere = Array.from({ length: 8 }, (_, i) => ({
      ...alerts(`other${i}@${i * 40}`)[0]!,
      labels: { host: `h${i}` },
    }));
    const graph = calls('a>x b>y c>z other0>p other1>q');
    const { groups } = groupAlerts(
      [...alerts('a@100 b@101 c@102', { labels: { host: 'n1' } }), ...elsewhere],
      graph,
    );
    expect(groups[0]).toEqual([0, 1, 2]);
    expect(groups).toHaveLength(9);
  });

  test('whatever comes, each alert is in one group and has a reason, in any order the same groups', () => {
    const service = fc.constantFrom('web', 'api', 'db', 'search', 'index', 'other', null);
    const made = fc.record({
      service,
      name: fc.constantFrom('HighLatency', 'LowTraffic', ''),
      labels: fc.dictionary(
        fc.constantFrom('host', 'pod', 'namespace', '__proto__'),
        fc.constantFrom('a', 'api-1'),
      ),
      // no two at one moment: whoever comes first then decides
      at: fc.integer({ min: 0, max: 3_600_000 }),
    });
    const several = fc.uniqueArray(made, { maxLength: 25, selector: ({ at }) => at });
    fc.assert(
      fc.property(several, (given) => {
        const { groups, reasons } = groupAlerts(
          given,
          calls('web>api api>db db>web web>search search>index'),
        );
        expect(groups.flat().toSorted((a, b) => a - b)).toEqual(given.map((_, index) => index));
        expect(reasons.every((reason) => reason !== '')).toBe(true);
        const backwards = groupAlerts(
          given.toReversed(),
          calls('web>api api>db db>web web>search search>index'),
        );
        const asGiven = backwards.groups.map((group) => group.map((index) => given.length - 1 - index));
        const plain = (all: number[][]) => all.map((group) => group.toSorted((a, b) => a - b).join()).sort();
        expect(plain(asGiven)).toEqual(plain(groups));
      }),
    );
  });
});

test('what edited rules would have made of the same alerts', () => {
  const before = defaultCorrelationRules;
  const after = readCorrelationRules({ topologyHops: 0 });
  const steps = simulate(alerts('db@0 api@10 web@20 mail@30'), { before, after }, serviceGraph(shop));
  let step = steps.next();
  while (!step.done) step = steps.next();
  expect(step.value).toEqual({
    alerts: 4,
    before: { incidents: 2, single: 1, largest: 3, reduction: 0.5 },
    after: { incidents: 4, single: 4, largest: 1, reduction: 0 },
  });
});
