import { describe, expect, test } from 'vitest';
import type { NotificationCause } from './notification.ts';
import { type SentMessage, why } from './why.ts';

const opened = '2026-06-05T22:00:00.000Z';
const reader = { email: 'ana@example.com', timeZone: 'Europe/Berlin' };
const entry = {
  schedule: 'primary',
  rotation: 'weekly',
  from: '2026-06-01T07:00:00.000Z',
  to: '2026-06-08T07:00:00.000Z',
  override: false,
  shadow: false,
};
const page = (cause: Partial<NotificationCause> | null, given: Partial<SentMessage> = {}): SentMessage => ({
  type: 'escalation.page',
  status: 'sent',
  error: null,
  destination: 'ana@example.com',
  person: 'Ana@example.com',
  dueAt: Date.parse(opened) + 15 * 60_000,
  incidentNumber: 42,
  runbook: null,
  cause: cause && { event: 'incident.opened', at: opened, ...cause },
  together: null,
  ...given,
});

describe('why was I paged?', () => {
  test('names the level, when it came due, the shift, and what had failed before', () => {
    const cause = {
      policy: 'payments',
      level: 2,
      pass: 1,
      round: 1,
      step: 2,
      entry,
      instead: 'Slack: channel_not_found',
    };
    expect(why(page(cause), reader)).toEqual([
      'You were paged because level 2 of the policy payments came due 15 min after #42 opened and you were on call by primary (weekly, until Mon 09:00 Europe/Berlin).',
      'It came by step 2 of your contact rules.',
      'Tried before, and failed: Slack: channel_not_found.',
    ]);
  });

  test('names who snoozed, and the silences that held it back', () => {
    const silence = { kind: 'silence', until: '2026-06-05T22:20:00.000Z' } as const;
    const held: NotificationCause['held'] = [
      { ...silence, names: ['deploys of checkout'] },
      { kind: 'snooze', until: '2026-06-05T22:40:00.000Z', by: 'ben@example.com' },
      { kind: 'snooze', until: '2026-06-05T22:50:00.000Z', by: 'ana@example.com' },
    ];
    expect(why(page({ policy: 'payments', level: 1, held }), reader).slice(1)).toEqual([
      "It was held back until Sat 00:20 Europe/Berlin by the silence 'deploys of checkout'.",
      'It was snoozed by ben@example.com until Sat 00:40 Europe/Berlin.',
      'It was snoozed by you until Sat 00:50 Europe/Berlin.',
    ]);
    const less: NotificationCause['held'] = [
      { kind: 'snooze', until: silence.until },
      { ...silence, names: [] },
      { ...silence, names: ['a', 'b'] },
    ];
    expect(why(page({ policy: 'payments', level: 1, held: less }), reader).slice(1)).toEqual([
      'It was snoozed until Sat 00:20 Europe/Berlin.',
      'It was held back until Sat 00:20 Europe/Berlin by a silence.',
      "It was held back until Sat 00:20 Europe/Berlin by the silences 'a', 'b'.",
    ]);
  });

  test('tells a later step of contact rules from its level', () => {
    const cause = { policy: 'payments', level: 1, step: 2, levelDueAt: opened };
    expect(why(page(cause), reader)).toEqual([
      'You were paged because level 1 of the policy payments came due as soon as #42 opened.',
      'It came by step 2 of your contact rules, 15 min later.',
    ]);
  });

  test('says of somebody else who it was, and whose turn it was by an override', () => {
    const cause = {
      policy: 'payments',
      level: 1,
      pass: 2,
      entry: { ...entry, override: true, schedule: 'nights' },
    };
    const [told] = why(page(cause, { dueAt: Date.parse(opened) }), { ...reader, email: 'ben@example.com' });
    expect(told).toBe(
      'Ana@example.com was paged because level 1 of the policy payments, in pass 2, came due as soon as #42 opened and they were on call by nights (by an override, until Mon 09:00 Europe/Berlin).',
    );
  });

  test('names the rule and the conditions that held', () => {
    const rule = { name: 'tell-$&', reasons: ['it waits for sla.breached', 'the severity is critical'] };
    const sent = { type: 'sla.breached', person: null, destination: 'ops' };
    expect(why(page({ event: 'sla.breached', rule }, sent), reader)).toEqual([
      'ops was told because the rule tell-$& waits for it: the SLA of #42 was breached.',
      'What held: the severity is critical.',
    ]);
  });

  test.each([
    ['failed', 'no such channel', 'It could not be delivered: no such channel.'],
    ['skipped', 'acknowledged meanwhile', 'Nothing was sent: acknowledged meanwhile.'],
    ['started', null, 'It is on its way.'],
  ] as const)('says what became of it: %s', (status, error, said) => {
    const [told, outcome] = why(page({ policy: 'payments', level: 1 }, { status, error }), reader);
    expect(told).toMatch(/^You were to be paged because level 1/);
    expect(outcome).toBe(said);
  });

  test('says so where nobody wrote down why, and takes an event that it does not know as it is', () => {
    expect(why(page(null), reader)).toEqual([
      'You were paged. Why was not written down: it was sent by an earlier version.',
    ]);
    expect(why(page({ event: 'moon.rose' }), reader)).toEqual(['You were paged because moon rose.']);
  });
});
