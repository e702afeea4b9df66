import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { listAudit } from './audit.ts';
import { putReportSettings, readReportAudience } from './report-audience.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

const defaults = { recipients: ['fallback@example.com'], timeZone: 'UTC' };

it('sends reports where the setting says, and by the defaults again once it is emptied', async () => {
  const { orgId } = test;
  const actor = 'ana@example.com';
  const settings = { recipients: ['Lead@example.com', 'lead@example.com'], timeZone: 'Europe/Berlin' };
  await test.db.write({ orgId }, (tx) => putReportSettings(tx, { orgId, settings, actor }));
  expect(await test.db.read({ orgId }, (tx) => readReportAudience(tx, orgId, defaults))).toMatchObject({
    recipients: ['lead@example.com'],
    timeZone: 'Europe/Berlin',
  });

  await test.db.write({ orgId }, (tx) => putReportSettings(tx, { orgId, settings: {}, actor }));
  expect(await test.db.read({ orgId }, (tx) => readReportAudience(tx, orgId, defaults))).toMatchObject(
    defaults,
  );

  const { items } = await test.db.read({ orgId }, (tx) => listAudit(tx, { limit: 2 }));
  expect(items).toMatchObject([
    { actor, action: 'settings.changed', subject: 'settings:reports', data: { before: settings, after: {} } },
    { actor, action: 'settings.changed', data: { before: {}, after: settings } },
  ]);
});
