import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { IncomingAlert } from '../domain/alert.ts';
import { incomingAlert } from '../test/harness/alerts.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { recordAlerts } from './intake.ts';

let database: TestDatabase;
let integrationId: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  const { rows } = await database.owner.query(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', $2, $3) returning id`,
    [database.orgId, randomUUID(), Buffer.from(randomUUID())],
  );
  integrationId = rows[0].id;
});

const alert = (change: Partial<IncomingAlert> = {}): IncomingAlert =>
  incomingAlert({
    severity: 'critical',
    labels: { alertname: 'HighLatency', service: 'checkout' },
    ...change,
  });
const resolved = (endsAt: string, change: Partial<IncomingAlert> = {}) =>
  alert({ status: 'resolved', endsAt, ...change });

const record = (...alerts: IncomingAlert[]) =>
  database.db.write({ orgId: database.orgId }, (tx) =>
    recordAlerts(tx, { orgId: database.orgId, integrationId, alerts }),
  );
const episodes = async () => {
  const { rows } = await database.owner.query(
    `select fingerprint, status, occurrences, version, dispatched_version from alerts where integration_id = $1 order by id`,
    [integrationId],
  );
  return rows.map((row) => `${row.fingerprint} ${row.status} x${row.occurrences} v${row.version}`);
};

test('a first firing opens an episode, a repeat raises it, a resolve closes it, the next firing opens another', async () => {
  expect(await record(alert())).toEqual({ new: 1, updated: 0, resolved: 0, ignored: 0 });
  expect(await record(alert())).toEqual({ new: 0, updated: 1, resolved: 0, ignored: 0 });
  expect(await record(resolved('2026-01-01T10:10:00Z'))).toEqual({
    new: 0,
    updated: 0,
    resolved: 1,
    ignored: 0,
  });
  // Alertmanager merges to the earliest start: the old one again
  expect(await record(alert())).toEqual({ new: 1, updated: 0, resolved: 0, ignored: 0 });
  expect(await episodes()).toEqual(['f1 resolved x2 v3', 'f1 firing x1 v1']);
});

test('a late repeat of an old resolve does not close the next episode', async () => {
  await record(alert());
  await record(resolved('2026-01-01T10:10:00Z'));
  await record(alert({ startsAt: '2026-01-01T10:20:00Z' }));
  expect(await record(resolved('2026-01-01T10:10:00Z'))).toMatchObject({ resolved: 0, ignored: 1 });
  await record(alert({ fingerprint: 'f2', startsAt: '2026-01-01T10:20:00Z' }));
  expect(await record(resolved('2026-01-01T10:10:00Z', { fingerprint: 'f2' }))).toMatchObject({
    resolved: 0,
    ignored: 1,
  });
  expect(await record(resolved('2026-01-01T10:30:00Z'))).toMatchObject({ resolved: 1 });
});

test('a resolve without an open episode is counted on its integration and changes nothing', async () => {
  expect(await record(resolved('2026-01-01T10:10:00Z'))).toEqual({
    new: 0,
    updated: 0,
    resolved: 0,
    ignored: 1,
  });
  expect(await episodes()).toEqual([]);
  const { rows } = await database.owner.query(`select resolves_ignored from integrations where id = $1`, [
    integrationId,
  ]);
  expect(rows[0].resolves_ignored).toBe(1);
});

test('a firing makes a stale episode firing again instead of opening another', async () => {
  await record(alert());
  await database.owner.query(`update alerts set status = 'stale' where integration_id = $1`, [integrationId]);
  expect(await record(alert())).toMatchObject({ new: 0, updated: 1 });
  expect(await episodes()).toEqual(['f1 firing x2 v2']);
});

test('the last of two alerts with one fingerprint in a batch counts', async () => {
  expect(await record(alert(), alert({ severity: 'low' }))).toMatchObject({ new: 1 });
  const { rows } = await database.owner.query(`select severity from alerts where integration_id = $1`, [
    integrationId,
  ]);
  expect(rows).toEqual([{ severity: 'low' }]);
});

test('batches of a pair of senders in opposite orders all get through and open each episode once', async () => {
  const batch = Array.from({ length: 50 }, (_, n) => alert({ fingerprint: `f${n}` }));
  await Promise.all(
    Array.from({ length: 8 }, (_, n) => record(...(n % 2 === 0 ? batch : batch.toReversed()))),
  );
  const found = await episodes();
  expect(found).toHaveLength(50);
  expect(new Set(found.map((episode) => episode.split(' ').slice(1).join(' ')))).toEqual(
    new Set(['firing x8 v8']),
  );
});

test('batches that open what the others close, and close what they open, all get through', async () => {
  const fingerprints = Array.from({ length: 40 }, (_, n) => `f${String(n).padStart(2, '0')}`);
  await record(...fingerprints.map((fingerprint) => alert({ fingerprint })));
  // the even ones fire and the odd ones are over, and the other way round
  const batch = (parity: number, minute: number) =>
    fingerprints.map((fingerprint, n) =>
      n % 2 === parity ? alert({ fingerprint }) : resolved(`2026-01-01T11:${minute}:00Z`, { fingerprint }),
    );
  const rounds = Array.from({ length: 8 }, (_, n) => record(...batch(n % 2, 10 + n)));
  const settled = await Promise.allSettled(rounds);
  expect(settled.filter(({ status }) => status === 'rejected')).toEqual([]);
});
