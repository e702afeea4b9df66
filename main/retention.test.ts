import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { startRetention } from './retention.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('old lines, spans, learned dependencies and services go; what is young or declared stays', async () => {
  const { owner, orgId } = database;
  await owner.query(
    `insert into logs (org_id, at, service, level, message) values
       ($1, now() - interval '8 days', 'a', 'info', 'old'), ($1, now(), 'a', 'info', 'young')`,
    [orgId],
  );
  await owner.query(
    `insert into spans (org_id, trace_id, span_id, service, name, started_at, ended_at, failed, received_at) values
       ($1, 'old', '1', 'a', 'x', now(), now(), false, now() - interval '61 minutes'),
       ($1, 'young', '1', 'a', 'x', now(), now(), false, now() - interval '59 minutes')`,
    [orgId],
  );
  await owner.query(
    `insert into service_dependencies (org_id, caller, callee, declared, last_seen_at) values
       ($1, 'old', 'b', false, now() - interval '8 days'),
       ($1, 'young', 'b', false, now() - interval '6 days'),
       ($1, 'declared', 'b', true, now() - interval '80 days')`,
    [orgId],
  );
  await owner.query(
    `insert into services (org_id, name, declared, last_seen_at) values
       ($1, 'forgotten', false, now() - interval '31 days'),
       ($1, 'b', false, now() - interval '31 days'),
       ($1, 'kept', true, now() - interval '31 days')`,
    [orgId],
  );
  const retention = startRetention({ db: database.db, logDays: 7, logger: pino({ level: 'silent' }) });
  const left = async () => {
    const { rows } = await owner.query(
      `select message as text from logs union all select trace_id from spans
       union all select caller from service_dependencies union all select name from services order by 1`,
    );
    return rows.map(({ text }) => text);
  };
  await vi.waitFor(async () => {
    expect(await left()).toEqual(['b', 'declared', 'kept', 'young', 'young', 'young']);
  });
  await retention.stop();
});
