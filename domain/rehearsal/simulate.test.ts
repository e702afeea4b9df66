import { describe, expect, test } from 'vitest';
import { processorMs } from '../../test/harness/processor-time.ts';
import { type MadeUp, madeUpConfiguration, madeUpSchedule } from '../../test/harness/rehearsed.ts';
import { horizonOf } from './horizon.ts';
import { simulate } from './simulate.ts';
import type { Answer, Failure, FeedEntry, RehearsedIncident } from './situation.ts';
import { rowsOf, summaryOf } from './table.ts';

const minute = 60_000;
const opened = Date.parse('2026-11-28T02:00:00Z'); // Saturday 03:00 in Berlin
const [ana, ben, cleo] = ['ana@example.com', 'ben@example.com', 'cleo@example.com'] as const;

const alert = {
  id: 1,
  name: 'HighLatency',
  severity: 'critical',
  service: 'payment-api',
  labels: {},
} as const;

function rehearsed(
  given: MadeUp,
  more: { answers?: Answer[]; feed?: FeedEntry[]; failures?: Failure[]; at?: number; hours?: number } = {},
) {
  const openedAt = more.at ?? opened;
  const incident: RehearsedIncident = {
    number: 1,
    openedAt,
    team: null,
    feed: more.feed ?? [{ at: openedAt, firing: true, alert }],
    answers: more.answers ?? [],
  };
  const simulated = simulate(incident, {
    configuration: madeUpConfiguration(given),
    failures: more.failures ?? [],
    latencyMs: 1000,
    until: openedAt + (more.hours ?? 3) * 60 * minute,
  });
  /** '15 page ben@example.com mail sent' */
  const told = rowsOf(simulated)
    .filter(({ kind }) => kind === 'message')
    .map(({ at, type, who, by, outcome }) =>
      [Math.round((at - openedAt) / minute), type, who, by, outcome].join(' '),
    );
  return { simulated, told, rows: rowsOf(simulated) };
}

const level = (after: string, ...targets: object[]) => ({ after, targets });
const user = (email: string) => ({ type: 'user', email });
const channel = (name: string) => ({ type: 'channel', name });

describe('a rehearsal', () => {
  test('tells who is told what and when, each with its reason, until nobody is left', () => {
    const { told, rows, simulated } = rehearsed({
      levels: [
        level('0s', { type: 'schedule', name: 'primary' }),
        level('15m', user(ben), channel('ops')),
        level('30m', { type: 'email', address: 'lead@example.com' }),
      ],
      policy: { repeats: 1, repeatAfter: '30m' },
    });
    expect(told).toEqual([
      '0 escalation.page ana@example.com mail sent',
      '15 escalation.page ben@example.com mail sent',
      '15 escalation.page ops channel sent',
      '30 escalation.page lead@example.com mail sent',
      '60 escalation.page ana@example.com mail sent',
      '75 escalation.page ben@example.com mail sent',
      '75 escalation.page ops channel sent',
      '90 escalation.page lead@example.com mail sent',
    ]);
    expect(rows[0]?.why).toBe('level 1 of default; on call by primary (weekly)');
    expect(summaryOf(simulated, opened)).toBe(
      'ana@example.com is paged first, at once (mail). 4 are paged in all, 8 pages. Nobody acknowledges.',
    );
  });

  test('stops at an acknowledgement, tells what the clocks of the SLA do, and refuses a second one', () => {
    const { told, rows } = rehearsed(
      {
        levels: [level('0s', user(ana)), level('15m', user(ben)), level('30m', user(cleo))],
        sla: { acknowledgeWithin: '10m', resolveWithin: '1h' },
      },
      {
        answers: [
          { at: opened + 20 * minute, by: ben, what: 'acknowledge' },
          { at: opened + 21 * minute, by: ana, what: 'acknowledge' },
        ],
        feed: [
          { at: opened, firing: true, alert },
          { at: opened + 70 * minute, firing: false, alert },
        ],
      },
    );
    expect(told.filter((line) => line.includes('page'))).toEqual([
      '0 escalation.page ana@example.com mail sent',
      '15 escalation.page ben@example.com mail sent',
    ]);
    const events = rows
      .filter(({ kind }) => kind === 'event')
      .map(({ type, at }) => [type, (at - opened) / minute]);
    expect(events).toEqual([
      ['sla_at_risk', 8],
      ['sla_breached', 10],
      ['acknowledged', 20],
      ['refused', 21],
      ['sla_at_risk', 48],
      ['sla_breached', 60],
      ['resolved', 70],
    ]);
  });

  test('goes on at once where a level reaches nobody, and tells the owners', () => {
    const { told, rows } = rehearsed({
      schedules: [madeUpSchedule('primary', { rotations: [] })],
      levels: [level('0s', { type: 'schedule', name: 'primary' }), level('15m', user(ben))],
    });
    expect(told).toEqual([
      '0 oncall.nobody owner@example.com mail sent',
      '0 escalation.page ben@example.com mail sent',
    ]);
    expect(rows[0]).toMatchObject({
      type: 'nobody_on_call',
      what: "Level 1 reaches nobody: nobody is on call by 'primary'; level 2 at once",
    });
  });

  test('tells of a message that finds nobody on call as of one that fails, as the real one does', () => {
    const { told, rows } = rehearsed({
      schedules: [madeUpSchedule('primary', { rotations: [] })],
      levels: [level('0s', { type: 'schedule', name: 'primary' }, user(ana))],
      sla: { acknowledgeWithin: '10m', resolveWithin: '10h' },
    });
    expect(told).toContain('8 sla.at_risk on call: primary whoever is on call failed');
    expect(rows.find(({ outcome }) => outcome === 'failed')?.reason).toBe("nobody is on call by 'primary'");
  });

  test('follows contact rules, and takes the next way at once where one fails', () => {
    const rules = {
      [ana]: [
        {
          steps: [
            { after: '0s', method: { type: 'slack', channel: 'bot' } },
            { after: '5m', method: { type: 'email' } },
          ],
        },
      ],
    };
    const given = { levels: [level('0s', user(ana))], contactRules: rules };
    expect(rehearsed(given).told).toEqual([
      '0 escalation.page ana@example.com Slack by bot sent',
      '5 escalation.page ana@example.com mail sent',
    ]);
    const slackIsDown = { target: 'bot', from: opened, to: opened + minute };
    const { told, rows } = rehearsed(given, { failures: [slackIsDown] });
    expect(told).toEqual([
      '0 escalation.page ana@example.com Slack by bot failed',
      '0 escalation.page ana@example.com mail sent',
    ]);
    expect(rows.at(-1)?.why).toContain('instead of what failed: Slack by bot: bot fails in this rehearsal');
  });

  test('knows who cannot be written to in Slack, and which channel there is not', () => {
    const steps = [
      { after: '0s', method: { type: 'slack', channel: 'bot' } },
      { after: '5m', method: { type: 'channel', name: 'gone' } },
      { after: '9m', method: { type: 'email' } },
    ];
    const { told, rows } = rehearsed({
      levels: [level('0s', user(ana))],
      contactRules: { [ana]: [{ steps }] },
      slackPeople: [ben],
    });
    expect(told).toEqual([
      '0 escalation.page ana@example.com Slack by bot failed',
      '0 escalation.page ana@example.com channel gone failed',
      '0 escalation.page ana@example.com mail sent',
    ]);
    expect(rows[0]?.reason).toBe('it is not known who ana@example.com is in Slack');
    expect(rows.find(({ by }) => by === 'channel gone')?.reason).toBe(
      "there is no notification channel 'gone'",
    );
  });

  test('asks the rules of notification as things happen', () => {
    const { told } = rehearsed(
      {
        levels: [level('0s', user(ana))],
        rules: {
          chat: {
            triggers: ['incident.opened', 'incident.resolved'],
            when: { severities: ['critical'] },
            targets: [channel('ops')],
          },
          'not this one': {
            triggers: ['incident.opened'],
            when: { service: 'checkout' },
            targets: [{ type: 'email', address: 'shop@example.com' }],
          },
        },
      },
      { answers: [{ at: opened + 5 * minute, by: ana, what: 'resolve' }] },
    );
    expect(told).toEqual([
      '0 escalation.page ana@example.com mail sent',
      '0 incident.opened ops channel sent',
      '5 incident.resolved ana@example.com mail sent',
      '5 incident.resolved ops channel sent',
    ]);
  });

  test('reminds, takes an acknowledgement back and begins anew where it goes quiet', () => {
    const { told } = rehearsed(
      {
        levels: [level('0s', user(ana)), level('15m', user(ben))],
        policy: { remindAfter: '30m', unacknowledgeAfter: '1h' },
      },
      { answers: [{ at: opened + 5 * minute, by: ana, what: 'acknowledge' }], hours: 1.2 },
    );
    expect(told).toEqual([
      '0 escalation.page ana@example.com mail sent',
      '35 escalation.reminder ana@example.com mail sent',
      '65 escalation.restarted ana@example.com mail sent',
      '65 escalation.page ana@example.com mail sent',
    ]);
  });

  test.each([
    // 2026-03-29: from 02:00 to 03:00 the clock shows nothing
    ['2026-03-29T00:30:00Z', ana],
    ['2026-03-29T01:30:00Z', ben],
    // 2026-10-25: 02:30 comes twice, and the handoff is at the first
    ['2026-10-25T00:20:00Z', ana],
    ['2026-10-25T00:40:00Z', ben],
    ['2026-10-25T01:40:00Z', ben],
  ])('knows who is on call when the clock changes: %s', (at, who) => {
    const daily = {
      name: 'nights',
      participants: [[ana], [ben]],
      turn: { unit: 'day' },
      // an even number of days before both nights
      startsAt: at < '2026-06' ? '2026-03-28T02:30' : '2026-10-24T02:30',
    };
    const { told } = rehearsed(
      {
        schedules: [madeUpSchedule('primary', { rotations: [daily] })],
        levels: [level('0s', { type: 'schedule', name: 'primary' })],
      },
      { at: Date.parse(at), hours: 0.1 },
    );
    expect(told).toEqual([`0 escalation.page ${who} mail sent`]);
  });

  test('cancels what wakes people and has not arrived when it is acknowledged', () => {
    const { told } = rehearsed(
      { levels: [level('0s', user(ana)), level('15m', user(ben))] },
      { answers: [{ at: opened + 15 * minute + 500, by: ana, what: 'acknowledge' }] },
    );
    expect(told).toEqual([
      '0 escalation.page ana@example.com mail sent',
      '15 escalation.page ben@example.com mail skipped',
    ]);
  });

  test('holds pages while a silence catches every alert', () => {
    const silence = {
      match: { service: 'payment-*' },
      from: opened - minute,
      to: opened + 10 * minute,
      weekly: null,
      team: null,
      reason: 'new disks',
    };
    expect(rehearsed({ levels: [level('0s', user(ana))], silences: [silence] }).told).toEqual([
      '10 escalation.page ana@example.com mail sent',
    ]);
  });

  test('holds what is left of the escalation when a silence begins, as for a real incident', () => {
    const silence = {
      match: { service: 'payment-*' },
      from: opened + 5 * minute,
      to: opened + 65 * minute,
      weekly: null,
      team: null,
      reason: 'maintenance',
    };
    expect(
      rehearsed({ levels: [level('0s', user(ana)), level('15m', user(ben))], silences: [silence] }).told,
    ).toEqual([
      '0 escalation.page ana@example.com mail sent',
      '75 escalation.page ben@example.com mail sent',
    ]);
  });

  test('tells a rule of each alert once, also where one of them fires again', () => {
    const { told } = rehearsed(
      {
        rules: { each: { triggers: ['alert.received'], targets: [channel('ops')] } },
        levels: [level('2h', user(ana))],
      },
      {
        feed: [
          { at: opened, firing: true, alert },
          { at: opened + minute, firing: true, alert: { ...alert, id: 2 } },
          { at: opened + 2 * minute, firing: false, alert },
          { at: opened + 3 * minute, firing: true, alert },
        ],
        hours: 1,
      },
    );
    expect(told).toEqual(['0 alert.received ops channel sent', '1 alert.received ops channel sent']);
  });

  test('looks as far ahead as an acknowledgement that is taken back begins the escalation anew', () => {
    const incident: RehearsedIncident = {
      number: 1,
      openedAt: opened,
      team: null,
      feed: [{ at: opened, firing: true, alert }],
      answers: [{ at: opened + 5 * minute, by: ana, what: 'acknowledge' }],
    };
    const configuration = madeUpConfiguration({
      levels: [level('0s', user(ana)), level('15m', user(ben))],
      policy: { unacknowledgeAfter: '1h' },
    });
    expect(horizonOf(incident, configuration)).toBe(opened + (5 + 60 + 15 + 5) * minute);
  });

  test('looks as far ahead as a silence puts off whom it wakes', () => {
    const silence = {
      match: { service: 'payment-*' },
      from: opened - minute,
      to: opened + 3 * 60 * minute,
      weekly: null,
      team: null,
      reason: 'maintenance',
    };
    const incident = {
      number: 1,
      openedAt: opened,
      team: null,
      feed: [{ at: opened, firing: true, alert }],
      answers: [],
    };
    const configuration = madeUpConfiguration({
      levels: [level('0s', user(ana)), level('15m', user(ben))],
      silences: [silence],
    });
    expect(horizonOf(incident, configuration)).toBe(opened + (3 * 60 + 15 + 5) * minute);
  });

  test('opens again with an alert that fires again, and ends after the reopen window', () => {
    const { told, simulated } = rehearsed(
      { levels: [level('0s', user(ana))] },
      {
        feed: [
          { at: opened, firing: true, alert },
          { at: opened + 10 * minute, firing: false, alert },
          { at: opened + 20 * minute, firing: true, alert },
          { at: opened + 30 * minute, firing: false, alert },
        ],
      },
    );
    expect(told).toEqual([
      '0 escalation.page ana@example.com mail sent',
      '10 incident.resolved ana@example.com mail sent',
      '20 escalation.page ana@example.com mail sent',
      '30 incident.resolved ana@example.com mail sent',
    ]);
    expect(simulated.over).toBe(true);
  });
});

test('a hundred incidents of a week take a second or two', () => {
  const incident = (number: number) =>
    rehearsed(
      {
        levels: ['0s', '15m', '30m', '60m'].map((after) =>
          level(after, { type: 'schedule', name: 'primary' }),
        ),
        policy: { repeats: 3 },
        sla: { acknowledgeWithin: '10m', resolveWithin: '1h' },
      },
      { at: opened + number * 97 * minute, hours: 12 },
    );
  const took = processorMs(() => {
    for (let number = 0; number < 100; number++) incident(number);
  });
  expect(took).toBeLessThan(4000);
});
