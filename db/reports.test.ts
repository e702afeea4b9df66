import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { InvalidCursorError } from './cursor.ts';
import { findReportByKey, getReport, insertReport, listReports, markReportSent } from './reports.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.close());

const report = (key: string, kind: 'sla' | 'capacity' = 'sla') => ({
  id: randomUUID(),
  orgId: test.orgId,
  key,
  kind,
  periodStart: new Date('2026-11-09T00:00:00Z'),
  periodEnd: new Date('2026-11-16T00:00:00Z'),
  subject: `report ${key}`,
  html: '<p>hi</p>',
  text: 'hi',
  data: { kind },
  recipients: ['a@example.com'],
  requestedBy: 'schedule',
  teamId: null,
  span: 'week' as const,
});

describe('reports', () => {
  it('stores a report once per key', async () => {
    const first = await test.db.write({ orgId: test.orgId }, (tx) => insertReport(tx, report('once')));
    const second = await test.db.write({ orgId: test.orgId }, (tx) => insertReport(tx, report('once')));
    expect(second.id).toBe(first.id);
    const found = await test.db.read({ orgId: test.orgId }, (tx) => findReportByKey(tx, 'once'));
    expect(found).toEqual({ id: first.id });
  });

  it('pages newest first, and by kind', async () => {
    await test.owner.query('delete from reports');
    // in one transaction all have the same created_at: the id decides, and no row is lost between pages
    await test.db.write({ orgId: test.orgId }, async (tx) => {
      for (let i = 0; i < 5; i++) await insertReport(tx, report(`page-${i}`, i % 2 ? 'capacity' : 'sla'));
    });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await test.db.read({ orgId: test.orgId }, (tx) => listReports(tx, { limit: 2, cursor }));
      seen.push(...page.items.map((item) => item.subject));
      cursor = page.nextCursor;
    } while (cursor);
    expect(new Set(seen).size).toBe(5);
    expect(seen).toHaveLength(5);
    const sla = await test.db.read({ orgId: test.orgId }, (tx) =>
      listReports(tx, { limit: 10, kind: 'sla' }),
    );
    expect(sla.items).toHaveLength(3);
    await expect(
      test.db.read({ orgId: test.orgId }, (tx) => listReports(tx, { limit: 10, cursor: 'none' })),
    ).rejects.toThrow(InvalidCursorError);
  });

  it('hides the reports of another organization', async () => {
    const { id } = await test.db.write({ orgId: test.orgId }, (tx) => insertReport(tx, report('mine')));
    const { rows } = await test.owner.query<{ org_id: string }>(
      `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
    );
    const other = { orgId: rows[0]!.org_id };
    expect(await test.db.read(other, (tx) => getReport(tx, id))).toBeUndefined();
    expect((await test.db.read(other, (tx) => listReports(tx, { limit: 10 }))).items).toEqual([]);
    const mine = await test.db.read({ orgId: test.orgId }, (tx) => getReport(tx, id));
    expect(mine).toMatchObject({ id, html: '<p>hi</p>', sentAt: null, data: { kind: 'sla' } });
  });

  it('keeps the time of the first complete sending', async () => {
    const { id } = await test.db.write({ orgId: test.orgId }, (tx) => insertReport(tx, report('sent')));
    await test.db.write({ orgId: test.orgId }, (tx) => markReportSent(tx, id));
    const once = await test.db.read({ orgId: test.orgId }, (tx) => getReport(tx, id));
    await test.db.write({ orgId: test.orgId }, (tx) => markReportSent(tx, id));
    const twice = await test.db.read({ orgId: test.orgId }, (tx) => getReport(tx, id));
    expect(once?.sentAt).not.toBeNull();
    expect(twice?.sentAt).toBe(once?.sentAt);
  });
});
