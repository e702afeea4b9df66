import { expect, test } from 'vitest';
import { processorMs } from '../../test/harness/processor-time.ts';
import { madeUpConfiguration, madeUpSchedule } from '../../test/harness/rehearsed.ts';
import { type PastIncident, rehearseWeek } from './week.ts';

const minute = 60_000;
const alert = { name: 'HighLatency', severity: 'critical', service: 'checkout', labels: {} } as const;

/** Of so many alerts that come one after the other and are over after an hour. */
function incident(
  number: number,
  opened: string,
  more: Partial<PastIncident> = {},
  alerts = 1,
): PastIncident {
  const openedAt = Date.parse(opened);
  const ids = Array.from({ length: alerts }, (_, id) => id);
  return {
    number,
    title: `incident ${number}`,
    openedAt,
    team: null,
    pages: [],
    answers: [],
    feed: [
      ...ids.map((id) => ({ at: openedAt + id * 1000, firing: true, alert: { ...alert, id } })),
      ...ids.map((id) => ({
        at: openedAt + 60 * minute + id * 1000,
        firing: false,
        alert: { ...alert, id },
      })),
    ],
    ...more,
  };
}

const to = (email: string) =>
  madeUpConfiguration({ levels: [{ after: '0s', targets: [{ type: 'user', email }] }] });
const week = (incidents: PastIncident[], standing = to('ana@example.com'), edited = to('ben@example.com')) =>
  rehearseWeek({
    incidents,
    standing,
    edited,
    zones: new Map([['ben@example.com', 'America/New_York']]),
    timeZone: 'Europe/Berlin',
  });

test('counts pages by person as it was, as it stands and as edited, at night where each of them is', () => {
  const night = incident(1, '2026-11-24T02:00:00Z', {
    pages: [{ at: Date.parse('2026-11-24T02:00:05Z'), who: 'cleo@example.com' }],
  });
  const day = incident(2, '2026-11-24T15:00:00Z');
  const found = week([night, day]);
  const counted = Object.fromEntries(found.people.map(({ who, ...counts }) => [who, counts]));
  const none = { pages: 0, atNight: 0 };
  expect(counted).toEqual({
    'cleo@example.com': { asItWas: { pages: 1, atNight: 1 }, asItStands: none, asEdited: none },
    'ana@example.com': { asItWas: none, asItStands: { pages: 2, atNight: 1 }, asEdited: none },
    // three in the morning in Berlin is nine in the evening in New York
    'ben@example.com': { asItWas: none, asItStands: none, asEdited: { pages: 2, atNight: 0 } },
  });
  expect(found.asItWas.nobodyReached).toEqual([2]);
  expect(found.incidents.map(({ number }) => number)).toEqual([1, 2]);
});

test('names the incidents of which nobody is reached', () => {
  const empty = madeUpConfiguration({ schedules: [madeUpSchedule('primary', { rotations: [] })] });
  expect(week([incident(7, '2026-11-24T02:00:00Z')], to('ana@example.com'), empty)).toMatchObject({
    asItStands: { pages: 1, nobodyReached: [] },
    asEdited: { pages: 0, nobodyReached: [7] },
    incidents: [
      { number: 7, asItStands: { pages: 1, firstAfterMs: 0 }, asEdited: { pages: 0, firstAfterMs: null } },
    ],
  });
});

test('tells nobody while no policy is for an incident, and pages once it gets so bad that one is', () => {
  const standing = to('ana@example.com');
  const [policy] = standing.policies;
  const critical = {
    ...standing,
    policies: policy
      ? [{ name: 'critical', definition: { ...policy.definition, match: { severity: 'critical' as const } } }]
      : [],
  };
  const low = { ...alert, severity: 'low' as const, id: 0 };
  const openedAt = Date.parse('2026-11-24T02:00:00Z');
  const stays = incident(1, '2026-11-24T02:00:00Z', { feed: [{ at: openedAt, firing: true, alert: low }] });
  const worsens = incident(2, '2026-11-24T02:00:00Z', {
    feed: [
      { at: openedAt, firing: true, alert: low },
      { at: openedAt + 10 * minute, firing: true, alert: { ...alert, id: 1 } },
    ],
  });
  expect(week([stays, worsens], critical, standing)).toMatchObject({
    asItStands: { pages: 1, nobodyReached: [1] },
    asEdited: { pages: 2, nobodyReached: [] },
    incidents: [
      { number: 1, asItStands: { pages: 0 }, asEdited: { pages: 1 } },
      { number: 2, asItStands: { firstAfterMs: 10 * minute }, asEdited: { firstAfterMs: 0 } },
    ],
  });
});

test('has people answer when they did, and shows no difference where there is none', () => {
  const levels = ['0s', '15m', '30m'].map((after) => ({
    after,
    targets: [{ type: 'user', email: 'ana@example.com' }],
  }));
  const policy = madeUpConfiguration({ levels, sla: { acknowledgeWithin: '10m', resolveWithin: '2h' } });
  const at = Date.parse('2026-11-24T02:20:00Z');
  const acknowledged = incident(1, '2026-11-24T02:00:00Z', {
    answers: [{ at, by: 'ana@example.com', what: 'acknowledge' }],
  });
  const found = week([acknowledged], policy, policy);
  expect(found).toMatchObject({
    asItStands: { pages: 2, breaches: 1 },
    asEdited: { pages: 2 },
    incidents: [],
  });
});

test('takes hundreds of alerts of an incident without reading its feed hundreds of times', () => {
  const storm = Array.from({ length: 20 }, (_, number) => incident(number, '2026-11-24T02:00:00Z', {}, 200));
  const took = processorMs(() =>
    expect(week(storm)).toMatchObject({ asItStands: { pages: 20 }, asEdited: { pages: 20 } }),
  );
  // each feed read at each of its 400 entries would take more than ten times as long
  expect(took).toBeLessThan(4000);
});
