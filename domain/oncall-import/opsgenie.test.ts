import { describe, expect, test } from 'vitest';
import { onCall, plan } from '../../test/harness/oncall-import.ts';

describe('Opsgenie', () => {
  const rotation = {
    id: 'r1',
    name: 'Days',
    startDate: '2026-05-04T07:00:00Z',
    endDate: null,
    type: 'weekly',
    length: 1,
    participants: [
      { type: 'user', id: 'u1', username: 'ana@example.com' },
      { type: 'user', id: 'u2', username: 'ben@example.com' },
    ],
  };
  const exported = (rotations: object[], escalations: object[] = []) => ({
    users: {
      data: [
        {
          id: 'u1',
          username: 'ana@example.com',
          fullName: 'Ana Example',
          role: { id: 'User', name: 'User' },
        },
        { id: 'u2', username: 'ben@example.com', fullName: 'Ben Example' },
      ],
      totalCount: 2,
    },
    schedules: {
      data: [{ id: 's1', name: 'ops_schedule', timezone: 'Europe/Berlin', enabled: true, rotations }],
    },
    escalations: { data: escalations },
  });

  test('rotations are together, within their hours', () => {
    const timeRestriction = {
      type: 'time-of-day',
      restriction: { startHour: 22, startMin: 30, endHour: 6, endMin: 0 },
    };
    const { schedules } = plan('opsgenie', exported([{ ...rotation, timeRestriction }]));
    expect(onCall(schedules[0]?.definition, '2026-06-01T08:00Z', '2026-06-03T08:00Z')).toEqual([
      'ana 06-01T20:30/06-02T04:00',
      'ana 06-02T20:30/06-03T04:00',
    ]);
  });

  test('a restriction from a day to another holds all the time between', () => {
    const timeRestriction = {
      type: 'weekday-and-time-of-day',
      restrictions: [
        { startDay: 'monday', startHour: 8, startMin: 0, endDay: 'wednesday', endHour: 18, endMin: 0 },
        { startDay: 'sunday', startHour: 20, startMin: 0, endDay: 'monday', endHour: 2, endMin: 0 },
      ],
    };
    const { schedules } = plan('opsgenie', exported([{ ...rotation, length: 4, timeRestriction }]));
    expect(onCall(schedules[0]?.definition, '2026-06-01T03:00Z', '2026-06-08T03:00Z')).toEqual([
      // the handoff is at nine
      'ana 06-01T06:00/06-01T07:00',
      'ben 06-01T07:00/06-03T16:00',
      'ben 06-07T18:00/06-08T00:00',
    ]);
  });

  test('rules of one time are one level; what differs here is said', () => {
    const rule = (minutes: number, recipient: object, more = {}) => ({
      condition: 'if-not-acked',
      notifyType: 'default',
      delay: { timeAmount: minutes, timeUnit: 'minutes' },
      recipient,
      ...more,
    });
    const { policies, problems } = plan(
      'opsgenie',
      exported(
        [rotation],
        [
          {
            id: 'e1',
            name: 'Ops escalation',
            rules: [
              rule(
                10,
                { type: 'user', id: 'u1', username: 'ana@example.com' },
                { condition: 'if-not-closed' },
              ),
              rule(0, { type: 'schedule', id: 's1', name: 'ops_schedule' }),
              rule(10, { type: 'schedule', id: 's1', name: 'ops_schedule' }, { notifyType: 'next' }),
              rule(20, { type: 'team', id: 't1', name: 'Ops' }),
            ],
            repeat: { waitInterval: 30, count: 3, resetRecipientStates: false },
          },
        ],
      ),
    );
    expect(policies[0]?.definition).toEqual({
      levels: [
        { after: '0m', targets: [{ type: 'schedule', name: 'ops_schedule' }] },
        {
          after: '10m',
          targets: [
            { type: 'user', email: 'ana@example.com' },
            { type: 'schedule', name: 'ops_schedule' },
          ],
        },
      ],
      repeats: 3,
      repeatAfter: '30m',
    });
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('here escalation stops with one'),
      expect.stringContaining("it tells 'next' there"),
      'team Ops is not carried over',
      expect.stringContaining('no incident is for it'),
    ]);
  });

  test('turns of nobody or of a team are left out', () => {
    const { schedules, problems } = plan(
      'opsgenie',
      exported([
        { ...rotation, participants: [...rotation.participants, { type: 'none' }] },
        { ...rotation, name: 'Off', enabled: false },
      ]),
    );
    expect(schedules[0]?.definition.rotations).toEqual([]);
    expect(problems[0]).toEqual({
      where: "schedule 'ops_schedule', rotation 'Days'",
      message: 'only users take turns here, and none is none: it is left out',
    });
  });
});
