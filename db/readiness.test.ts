import { afterAll, beforeAll, expect, test } from 'vitest';
import { seedBadNight } from '../test/harness/bad-night.ts';
import { seedBadOnCall } from '../test/harness/bad-on-call.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { readReadiness } from './readiness.ts';

let database: TestDatabase;
const now = Date.now();

beforeAll(async () => {
  database = await createTestDatabase();
  await seedBadNight(database.owner, database.orgId, now);
  await seedBadOnCall(database, now);
});
afterAll(() => database.close());

const read = () =>
  database.db.read({ orgId: database.orgId }, (tx) => readReadiness(tx, { now, teamId: null }));

test('finds what a bad night has: gaps, somebody who is gone, a way that leads nowhere, unused schedules', async () => {
  const kinds = new Set((await read()).map(({ kind, subject }) => `${kind} ${subject}`));
  for (const kind of [
    'participant_disabled payments',
    'gap payments',
    'method_failing ana@example.com',
    'schedule_unused empty',
  ]) {
    expect(kinds).toContain(kind);
  }
});

test('a way whose last message failed is named until one arrives', async () => {
  const { owner, orgId } = database;
  const insert = (status: string, error: string | null) =>
    owner.query(
      `insert into notifications (org_id, key, type, channel, destination, subject, status, error, person, cause)
       values ($1, gen_random_uuid(), 'escalation.page', 'email', '', '', $2, $3, 'ana@example.com',
         '{"event": "incident.opened", "at": "2026-11-21T12:00:00Z", "method": "email:"}')`,
      [orgId, status, error],
    );
  const ofAna = async () => (await read()).find(({ subject }) => subject === 'ana@example.com')?.text;
  await insert('failed', 'mailbox is full');
  expect(await ofAna()).toContain('mailbox is full');
  await insert('sent', null);
  expect(await ofAna()).not.toContain('mailbox is full');
});
