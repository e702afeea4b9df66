import type { TestDatabase } from './database.ts';

const dayMs = 86_400_000;
const longAddress = 'somebody.with.a.very.long.mail.address@operations.subsidiary.example.com';

/**
 * Schedules as a bad night finds them, beside what `seedBadNight` makes: a gap, somebody who is gone, a shadow, three
 * together, an override of now, one that is empty, one of another zone; and contact rules that fail.
 */
export async function seedBadOnCall({ owner, orgId }: TestDatabase, now: number): Promise<void> {
  const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri'];
  const first = {
    turn: { every: 1, unit: 'week' },
    startsAt: '2026-01-05T09:00',
    priority: 0,
    shadow: false,
  };
  const schedules = {
    payments: {
      timeZone: 'America/New_York',
      rotations: [
        {
          ...first,
          name: 'primary',
          participants: [['ana@example.com'], ['ben@example.com'], ['gone@example.com']],
          hours: [{ days: weekdays, from: '00:00', to: '00:00' }],
        },
        {
          ...first,
          name: 'a night watch with a name that somebody made very long indeed, with 決済 and خدمة',
          priority: 5,
          turn: { every: 1, unit: 'day' },
          participants: [['ana@example.com', longAddress, 'maryam@example.com']],
          hours: [{ days: ['fri', 'sat'], from: '20:00', to: '06:00' }],
        },
        { ...first, name: 'learning', participants: [['maryam@example.com']], shadow: true },
      ],
    },
    platform: {
      timeZone: 'Europe/Berlin',
      rotations: [
        {
          ...first,
          name: 'holidays',
          participants: [],
          calendar: { url: 'https://calendar.example.com/secret-address/basic.ics' },
        },
        {
          ...first,
          name: 'all',
          turn: { every: 6, unit: 'hour' },
          participants: [['ben@example.com'], [longAddress]],
        },
      ],
    },
    empty: { timeZone: 'Asia/Kolkata', rotations: [] },
  };
  for (const [name, definition] of Object.entries(schedules)) {
    await owner.query('insert into on_call_schedules (org_id, name, definition) values ($1, $2, $3)', [
      orgId,
      name,
      JSON.stringify(definition),
    ]);
  }
  await owner.query(
    `insert into on_call_calendars (org_id, schedule, rotation, url, read_at, error, unmatched)
     values ($1, 'platform', 'holidays', 'https://calendar.example.com/secret-address/basic.ics', now(), $2, $3)`,
    [orgId, `answered 404 ${'x'.repeat(200)}`, ['Anna', 'somebody who left', 'b', 'c', 'd', 'e']],
  );
  await owner.query(
    `insert into on_call_overrides (org_id, schedule, person, instead_of, starts_at, ends_at, reason, created_by)
     values ($1, 'payments', $2, null, $3, $4, $5, 'ana@example.com')`,
    [orgId, longAddress, new Date(now - dayMs / 4), new Date(now + dayMs / 4), 'Dentist, '.repeat(30)],
  );
  const rules = [
    {
      severities: ['critical', 'high'],
      steps: [
        { after: '0s', method: { type: 'slack', channel: 'gone' } },
        { after: '5m', method: { type: 'email', address: longAddress } },
      ],
    },
    { steps: [{ after: '0s', method: { type: 'email' } }] },
  ];
  await owner.query(
    `update users set contact_rules = $2, time_zone = 'Europe/Berlin' where org_id = $1 and email = 'ana@example.com'`,
    [orgId, JSON.stringify(rules)],
  );
  await owner.query(
    `insert into notifications (org_id, key, type, channel, destination, subject, status, error, person, cause)
     values ($1, 'contact-test:1', 'contact.test', 'slack', 'gone', '', 'failed', $2, 'ana@example.com',
       '{"event": "contact.test", "at": "2026-11-21T12:00:00Z", "method": "slack:gone"}')`,
    [orgId, `channel_not_found ${'x'.repeat(300)}`],
  );
  await owner.query(
    `insert into calendar_feeds (org_id, token_hash, schedule, created_by) values ($1, '\\x01', 'payments', $2)`,
    [orgId, longAddress],
  );
  await owner.query(
    `update escalation_policies
     set definition = jsonb_set(definition, '{levels,0,targets}',
       (definition #> '{levels,0,targets}') || '[{"type": "schedule", "name": "payments"}]')
     where org_id = $1 and name = 'default'`,
    [orgId],
  );
}
