import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addAlertmanager } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { startRetention } from './retention.ts';

let database: TestDatabase;
let integrationId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  integrationId = await addAlertmanager(database);
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
  await expect.poll(left).toEqual(['b', 'declared', 'kept', 'young', 'young', 'young']);
  await retention.stop();
});

test('changes go after 400 days, with what was made of them; those that people judged stay', async () => {
  const { owner, orgId } = database;
  const { rows } = await owner.query<{ id: number; title: string }>(
    `insert into changes (org_id, source, external_id, type, status, title, at, received_at)
     select $1, 'manual', title, 'other', 'succeeded', title, now(), now() - age * interval '1 day'
     from (values ('old', 401), ('related', 401), ('judged', 401), ('young', 399)) as v(title, age)
     returning id, title`,
    [orgId],
  );
  await owner.query(
    `with incident as (
       insert into incidents (org_id, number, title, severity, severity_rank) values ($1, 99, 'Down', 'low', 3)
       returning id
     )
     insert into incident_changes (org_id, incident_id, change_id, score, reasons, verdict)
     select $1, incident.id, c.id, 1, '[]', case c.title when 'judged' then 'confirmed' end
     from incident, unnest($2::bigint[], $3::text[]) as c(id, title) where c.title in ('related', 'judged')`,
    [orgId, rows.map(({ id }) => id), rows.map(({ title }) => title)],
  );
  const retention = startRetention({ db: database.db, logDays: 7, logger: pino({ level: 'silent' }) });
  const left = async () => (await owner.query('select title from changes order by title')).rows;
  await expect.poll(left).toEqual([{ title: 'judged' }, { title: 'young' }]);
  await retention.stop();
});

async function see(fingerprint: string, status: string, daysAgo: number, incidentId: string | null = null) {
  await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels,
       annotations, starts_at, last_seen_at, incident_id)
     values ($1, $2, $3, $4, 'a', 'low', 3, '{}', '{}', now(), now() - $5 * interval '1 day', $6)`,
    [database.orgId, integrationId, fingerprint, status, daysAgo, incidentId],
  );
}

async function forget(name: 'forget_old_feeds' | 'forget_old_memory', age: string, batch: number) {
  const { rows } = await database.db.unscoped((tx) =>
    sql<{
      done: number;
    }>`select ${sql.id(name)}(now() - ${age}::interval, ${batch}::integer) as done`.execute(tx),
  );
  return rows[0]?.done;
}

test('feeds of incidents that were closed long ago go, a batch at a time', async () => {
  const { owner, orgId } = database;
  const { rows: incidents } = await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, closed_at) values
       ($1, 1, 'old', 'low', 3, now() - interval '9 days'), ($1, 2, 'older', 'low', 3, now() - interval '10 days'),
       ($1, 3, 'young', 'low', 3, now() - interval '6 days'), ($1, 4, 'open', 'low', 3, null),
       ($1, 5, 'still firing', 'low', 3, now() - interval '9 days')
     returning id`,
    [orgId],
  );
  for (const { id } of incidents) {
    await owner.query(
      `insert into incident_feed (org_id, incident_id, seq, kind, alert_id, alert_version, at)
       select $1, $2, n, 'joined', n, 1, now() - interval '20 days' from generate_series(1, 3) n`,
      [orgId, id],
    );
  }
  await see('fires on', 'firing', 0, incidents[4].id);
  const left = async () => {
    const { rows } = await owner.query(
      `select i.title, count(f.seq)::int as rows from incidents i join incident_feed f on f.incident_id = i.id
       group by 1 order by 1`,
    );
    return rows.map(({ title, rows }) => `${title} ${rows}`);
  };
  expect(await forget('forget_old_feeds', '7 days', 2)).toBe(2);
  expect(await left()).toEqual(['old 3', 'older 1', 'open 3', 'still firing 3', 'young 3']);
  expect(await forget('forget_old_feeds', '7 days', 100)).toBe(6); // four rows, two feeds
  expect(await left()).toEqual(['open 3', 'still firing 3', 'young 3']);
  expect(await forget('forget_old_feeds', '7 days', 100)).toBe(0);
});

test('groupings of alerts that do not come any more go, and what others remember of them', async () => {
  const { owner, orgId } = database;
  const group = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
  const remember = (fingerprint: string, groupId: string, apartFrom: string[], decidedDaysAgo: number) =>
    owner.query(
      `insert into correlation_memory (org_id, integration_id, fingerprint, group_id, apart_from, name,
         incident_number, decided_by, decided_at, seen_at)
       values ($1, $2, $3, $4, $5, 'a', 1, 'ana', now() - $6 * interval '1 day', now() - $6 * interval '1 day')`,
      [orgId, integrationId, fingerprint, groupId, apartFrom, decidedDaysAgo],
    );
  await remember('gone', group(1), [group(2)], 400);
  await see('gone', 'resolved', 200);
  await remember('seen', group(2), [group(1), group(9)], 300);
  await see('seen', 'resolved', 200);
  await see('seen', 'resolved', 20);
  await remember('fires', group(3), [group(2)], 300);
  await see('fires', 'firing', 200);
  await remember('young', group(4), [group(9)], 100);
  await remember('never came', group(5), [], 200);

  for (let n = 0; n < 4; n++) expect(await forget('forget_old_memory', '180 days', 1)).toBe(1);
  expect(await forget('forget_old_memory', '180 days', 1)).toBe(0);

  const kept = await owner.query(
    `select fingerprint, apart_from, extract(day from now() - seen_at)::int as days
     from correlation_memory order by 1`,
  );
  expect(kept.rows).toEqual([
    { fingerprint: 'fires', apart_from: [group(2)], days: 0 },
    { fingerprint: 'seen', apart_from: [], days: 20 },
    { fingerprint: 'young', apart_from: [group(9)], days: 100 },
  ]);
});

test('the history of chat goes after 90 days', async () => {
  const { owner, orgId } = database;
  await owner.query(
    `insert into chat_messages (org_id, provider, delivery, conversation, person, command, answer, at) values
       ($1, 'slack', '1', 'alerts', 'ana', 'old', '', now() - interval '91 days'),
       ($1, 'slack', '2', 'alerts', 'ana', 'young', '', now() - interval '89 days')`,
    [orgId],
  );
  const retention = startRetention({ db: database.db, logDays: 7, logger: pino({ level: 'silent' }) });
  const left = async () => (await owner.query('select command from chat_messages')).rows;
  await expect.poll(left).toEqual([{ command: 'young' }]);
  await retention.stop();
});
