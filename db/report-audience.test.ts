import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { listAudit } from './audit.ts';
import { putReportSettings, readerZones, readReportAudience } from './report-audience.ts';

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

it('counts in the zones of whoever gets the report before those of others', async () => {
  const { orgId, owner } = test;
  const zones = Intl.supportedValuesOf('timeZone').slice(0, 13);
  for (const [index, zone] of zones.entries()) {
    await owner.query(`insert into users (org_id, email, name, time_zone) values ($1, $2, 'x', $3)`, [
      orgId,
      `reader-${String(index).padStart(2, '0')}@example.com`,
      zone,
    ]);
  }
  const found = await test.db.read({ orgId }, (tx) => readerZones(tx, ['reader-12@example.com']));
  expect(found.zones).toHaveLength(12);
  expect(found.byAddress.get('reader-12@example.com')).toBe(zones[12]);
});
