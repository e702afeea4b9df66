import { describe, expect, test } from 'vitest';
import { serviceGraph } from '../topology/graph.ts';
import type { Dependency } from '../topology/service.ts';
import { correlate } from './correlate.ts';
import { defaultCorrelationRules } from './rules.ts';
import type { CandidateIncident, NewAlert } from './snapshot.ts';

const now = Date.UTC(2026, 0, 31, 3);
const seconds = 1000;
const minutes = 60 * seconds;

function incident(
  number: number,
  services: Record<string, number>,
  more: Partial<CandidateIncident> = {},
): CandidateIncident {
  const at = Object.values(services);
  return {
    incidentId: `id-${number}`,
    number,
    falsePositive: false,
    openedAt: now - Math.max(0, ...at),
    lastAlertAt: now - Math.min(...at, 10 * minutes),
    resolved: false,
    sameFingerprint: false,
    sameGroup: false,
    apart: false,
    services: Object.entries(services).map(([service, ago]) => ({
      service,
      firstAt: now - ago,
      lastAt: now - ago,
    })),
    labels: [],
    names: ['HighLatency'],
    ...more,
  };
}

function alert(service: string | null, more: Partial<NewAlert> = {}): NewAlert {
  return { service, name: 'HighErrorRate', labels: {}, at: now, ...more };
}

function decide(candidates: CandidateIncident[], calls: string, about: NewAlert, rules = {}) {
  const dependencies: Dependency[] = calls
    .split(' ')
    .filter(Boolean)
    .map((call) => {
      const [from = '', to = ''] = call.split('>');
      return { from, to };
    });
  return correlate(
    {
      candidates,
      graph: serviceGraph(dependencies),
      rules: { ...defaultCorrelationRules, ...rules },
      now,
    },
    about,
  );
}

describe('by the call graph', () => {
  const db = incident(42, { 'db-primary': 14 * seconds });

  test('a service joins the incident of what it calls, and says so', () => {
    expect(decide([db], 'payment-api>db-primary', alert('payment-api'))).toEqual({
      action: 'join',
      incidentId: 'id-42',
      number: 42,
      by: 'topology',
      reason: 'joined #42: payment-api calls db-primary, 14 s apart',
      merge: [],
    });
  });

  test('a cause that is told of later joins the incident of its effect', () => {
    const web = incident(7, { web: 20 * seconds });
    expect(decide([web], 'web>api api>db', alert('api'))).toMatchObject({ action: 'join', number: 7 });
  });

  test('one silent service between is bridged, two are not', () => {
    expect(decide([db], 'web>api api>db-primary', alert('web'))).toMatchObject({
      number: 42,
      reason: 'joined #42: web reaches db-primary over 1 silent service, 14 s apart',
    });
    expect(decide([db], 'web>api api>dao dao>db-primary', alert('web')).action).toBe('create');
    expect(decide([db], 'web>api api>db-primary', alert('web'), { topologyHops: 1 }).action).toBe('create');
    expect(decide([db], 'web>db-primary', alert('web'), { topologyHops: 0 }).action).toBe('create');
  });

  test('what merely has a caller in common is another outage', () => {
    expect(decide([db], 'web>db-primary web>search', alert('search'))).toMatchObject({ action: 'create' });
  });

  test('a service does not join an effect that something deeper explains already', () => {
    const open = incident(1, { web: 30 * seconds, db: 40 * seconds });
    expect(decide([open], 'web>db web>search', alert('search')).action).toBe('create');
  });

  test('callers of one silent service join when most of its callers fail, and not when few do', () => {
    const a = incident(1, { a: 10 * seconds });
    expect(decide([a], 'a>db b>db', alert('b'))).toMatchObject({
      number: 1,
      reason: 'joined #1: b and a both call db, 2 of whose 2 callers fail, 10 s apart',
    });
    expect(decide([a], 'a>db b>db c>db d>db e>db', alert('b')).action).toBe('create');
  });

  test('a cycle is no obstacle', () => {
    const open = incident(1, { a: 10 * seconds, b: 20 * seconds });
    expect(decide([open], 'a>b b>c c>a', alert('c'))).toMatchObject({ action: 'join', number: 1 });
  });

  test('missing traffic is an effect of what fails above, and no cause of it', () => {
    const open = incident(1, { api: 20 * seconds, db: 25 * seconds });
    const starved = decide([open], 'api>db api>mail', alert('mail', { name: 'LowTraffic' }));
    expect(starved).toMatchObject({
      number: 1,
      reason: 'joined #1: api fails, which calls mail, 20 s apart',
    });
    expect(decide([open], 'api>db api>mail', alert('mail')).action).toBe('create');
  });
});

describe('several incidents', () => {
  test('the one that is the deeper cause of both merges them', () => {
    const a = incident(1, { a: 30 * seconds });
    const b = incident(2, { b: 10 * seconds });
    const decision = decide([a, b], 'a>db b>db c>db d>db e>db', alert('db'));
    expect(decision).toMatchObject({ action: 'join', number: 2 });
    expect(decision).toMatchObject({
      merge: [{ incidentId: 'id-1', number: 1, reason: 'a calls db' }],
    });
  });

  test('one that is over is merged with nothing, and not opened again where another is as near', () => {
    const over = incident(1, { a: 10 * seconds }, { resolved: true });
    const open = incident(2, { b: 10 * seconds });
    const decision = decide([over, open], 'a>db b>db c>db d>db e>db', alert('db'));
    expect(decision).toMatchObject({ action: 'join', number: 2, merge: [] });
  });

  test('a common caller joins the nearer one and merges nothing', () => {
    const near = incident(1, { search: 60 * seconds });
    const far = incident(2, { api: 70 * seconds, db: 80 * seconds });
    const decision = decide([far, near], 'web>search web>gate gate>api api>db', alert('web'));
    expect(decision).toMatchObject({ action: 'join', number: 1, merge: [] });
  });

  test('a tie goes to the alerts that sound alike', () => {
    const one = incident(1, { a: 20 * seconds }, { names: ['DiskFull'] });
    const other = incident(2, { b: 20 * seconds }, { names: ['HighErrorRateOnPayments'] });
    expect(decide([one, other], 'web>a web>b', alert('web'))).toMatchObject({ number: 2 });
    // and what sounds alike has no other claim
    expect(decide([one, other], '', alert('web')).action).toBe('create');
  });
});

describe('time', () => {
  test('the same service joins within a window, and later only while it is near', () => {
    const ago = (ms: number) => decide([incident(1, { api: ms })], '', alert('api')).action;
    expect(ago(4 * minutes)).toBe('join');
    expect(ago(25 * minutes)).toBe('create');
  });

  test('what calls it directly joins to the end of the window', () => {
    const ago = (ms: number) => decide([incident(1, { db: ms })], 'api>db', alert('api')).action;
    expect(ago(5 * minutes)).toBe('join');
    expect(ago(12 * minutes)).toBe('create');
  });

  test('an incident that was quiet for longer than the look-back is joined by the same alert only', () => {
    const old = incident(1, { api: 2 * 60 * minutes }, { lastAlertAt: now - 2 * 60 * minutes });
    expect(decide([old], '', alert('api')).action).toBe('create');
    expect(decide([{ ...old, sameFingerprint: true }], '', alert('api'))).toMatchObject({
      reason: 'joined #1: the same alert again',
    });
  });
});

describe('labels', () => {
  const labelled = (labels: Record<string, string>, more: Partial<CandidateIncident> = {}) =>
    incident(
      1,
      { a: 20 * seconds },
      {
        labels: Object.entries(labels).map(([name, value]) => ({ name, value, lastAt: now - 20 * seconds })),
        ...more,
      },
    );

  test('the same host joins services that no topology knows', () => {
    expect(decide([labelled({ host: 'n1' })], '', alert('b', { labels: { host: 'n1' } }))).toMatchObject({
      action: 'join',
      by: 'labels',
      reason: 'joined #1: same host n1, 20 s apart',
    });
    expect(decide([labelled({ host: 'n1' })], '', alert('b', { labels: { host: 'n2' } })).action).toBe(
      'create',
    );
  });

  test('namespace, cluster and job together do not glue a cluster', () => {
    const labels = { namespace: 'shop', cluster: 'eu-1', job: 'kubernetes-pods' };
    expect(decide([labelled(labels)], '', alert('b', { labels })).action).toBe('create');
  });

  test('an outage over many hosts is not that of one host', () => {
    const hosts = ['n1', 'n2', 'n3'].map((value) => ({ name: 'host', value, lastAt: now - seconds }));
    const open = incident(1, { a: seconds }, { labels: hosts });
    expect(decide([open], '', alert('b', { labels: { host: 'n1' } })).action).toBe('create');
  });

  test('services that the topology knows to be unrelated share a host by chance, unless they fail at once', () => {
    const about = alert('b', { labels: { host: 'n1' } });
    expect(decide([labelled({ host: 'n1' })], 'a>x b>y', about).action).toBe('create');
    const atOnce = labelled({}, { labels: [{ name: 'host', value: 'n1', lastAt: now - seconds }] });
    expect(decide([atOnce], 'a>x b>y', about).action).toBe('join');
  });

  test('weights are those of the rules', () => {
    const rules = { labelWeights: { region: 0.9 } };
    const about = alert('b', { labels: { region: 'eu', host: 'n1' } });
    expect(decide([labelled({ region: 'eu' })], '', about, rules).action).toBe('join');
    expect(decide([labelled({ host: 'n1' })], '', about, rules).action).toBe('create');
  });

  test('a label that is called as what every object has is a label', () => {
    expect(decide([labelled({ constructor: 'x' })], '', alert('b')).action).toBe('create');
  });
});

describe('what people decided', () => {
  test('alerts that were grouped join whatever the evidence says', () => {
    const open = incident(1, { a: 25 * minutes }, { sameGroup: true });
    expect(decide([open], '', alert('b'))).toMatchObject({ action: 'join', number: 1, by: 'person' });
  });

  test('alerts that were split apart, and false positives, are joined by nothing', () => {
    for (const never of [{ apart: true }, { falsePositive: true }]) {
      const open = incident(1, { api: 5 * seconds }, { ...never, sameFingerprint: true, sameGroup: true });
      expect(decide([open], '', alert('api')).action).toBe('create');
    }
  });

  test('nor are they merged', () => {
    const a = incident(1, { a: 30 * seconds }, { apart: true });
    const b = incident(2, { b: 10 * seconds });
    expect(decide([a, b], 'a>db b>db', alert('db'))).toMatchObject({ number: 2, merge: [] });
  });
});

test('without any open incident it opens one', () => {
  expect(decide([], '', alert(null))).toEqual({
    action: 'create',
    reason: 'no open incident shares its service, a label that counts, or a dependency',
  });
});
