import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countTowardsLimit } from '../db/notification-limits.ts';
import { hourMs, messagesPerHour } from '../domain/notification-limits.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import type { Consolidation } from '../workflows/messages.ts';
import { type Reconciler, startReconciler } from './reconciler.ts';

let database: TestDatabase;
let reconciler: Reconciler;
let integrationId: string;
/** What Temporal says of each workflow; RUNNING where nothing is said. */
let statuses: Map<string, string>;
let started: string[];
let consolidations: Consolidation[];
const old = new Date(Date.now() - 3_600_000);

beforeAll(async () => {
  database = await createTestDatabase();
  integrationId = await insert('integrations', {
    kind: 'alertmanager',
    name: 'am',
    key_hash: Buffer.from('k'),
  });
});
afterAll(() => database.close());
beforeEach(async () => {
  statuses = new Map();
  started = [];
  consolidations = [];
  await database.owner.query('delete from executions; delete from alerts; delete from incidents;');
  const describe = async (workflowId: string) => {
    const name = statuses.get(workflowId) ?? 'RUNNING';
    if (name === 'MISSING') throw new WorkflowNotFoundError('not found', workflowId, undefined);
    return { status: { name } };
  };
  reconciler = startReconciler({
    db: database.db,
    client: {
      workflow: { getHandle: (workflowId: string) => ({ describe: () => describe(workflowId) }) },
    } as unknown as Client,
    starter: {
      dispatchAlert: async ({ id }) => void started.push(`alert ${id}`),
      restartAlert: async ({ id }) => void started.push(`alert ${id} again`),
      signalFeedUnread: async ({ number }) => void started.push(`incident ${number}`),
      startExecution: async ({ executionId }) => void started.push(`execution ${executionId}`),
      startConsolidation: async (consolidation) => void consolidations.push(consolidation),
    },
    logger: pino({ level: 'silent' }),
    intervalMs: 3_600_000,
  });
});
afterEach(() => reconciler.stop());

async function insert(table: string, row: Record<string, unknown>): Promise<string> {
  const columns = { org_id: database.orgId, ...row };
  const { rows } = await database.owner.query(
    `insert into ${table} (${Object.keys(columns).join(', ')})
     values (${Object.keys(columns).map((_, index) => `$${index + 1}`)}) returning *`,
    Object.values(columns),
  );
  return String(rows[0].id);
}
const addIncident = (number: number) =>
  insert('incidents', { number, title: 't', severity: 'low', severity_rank: 3, opened_at: old });
const addAlert = (incidentId: string) =>
  insert('alerts', {
    integration_id: integrationId,
    fingerprint: randomUUID(),
    status: 'firing',
    name: 'a',
    severity: 'low',
    severity_rank: 3,
    labels: {},
    annotations: {},
    starts_at: old,
    received_at: old,
    version: 3,
    dispatched_version: 3,
    incident_id: incidentId,
  });
const one = async (query: string, id: string) => (await database.owner.query(query, [id])).rows[0];

test('what was never started is started, and what runs is left alone', async () => {
  const incidentId = await addIncident(1);
  await addIncident(2);
  const alertId = await addAlert(incidentId);
  statuses.set(`incident:${database.orgId}:1`, 'MISSING');
  statuses.set(`alert:${database.orgId}:${alertId}`, 'MISSING');
  await reconciler.reconcile();
  expect(started).toEqual(['incident 1', `alert ${alertId}`]);
});

test('an incident whose workflow was terminated is closed, and what fires in it is looked at again', async () => {
  const incidentId = await addIncident(1);
  const alertId = await addAlert(incidentId);
  await insert('incident_keys', { key: 'service=checkout', incident_id: incidentId });
  statuses.set(`incident:${database.orgId}:1`, 'TERMINATED');
  await reconciler.reconcile();
  const incident = await one(
    'select status, resolved_by, closed_at from incidents where id = $1',
    incidentId,
  );
  expect(incident).toMatchObject({ status: 'resolved', resolved_by: 'Temporal operator' });
  expect(incident.closed_at).not.toBeNull();
  expect(await one('select version from alerts where id = $1', alertId)).toEqual({ version: 4 });
  expect(
    await one('select count(*)::int as n from incident_keys where incident_id = $1', incidentId),
  ).toEqual({
    n: 0,
  });
});

test('an execution whose workflow was terminated ends, and its target and its approval are free', async () => {
  const executionId = await insert('executions', {
    runbook: 'r',
    runbook_version: 1,
    requested_by: 'x',
    mode: 'auto',
    target: 'checkout',
    inputs: {},
    status: 'running',
    created_at: old,
    started_at: old,
    workflow_id: 'execution:lost',
  });
  await insert('target_locks', { target: 'checkout', execution_id: executionId });
  statuses.set('execution:lost', 'TERMINATED');
  await reconciler.reconcile();
  expect(await one('select status, status_reason from executions where id = $1', executionId)).toEqual({
    status: 'failed',
    status_reason: 'its workflow was ended in Temporal (TERMINATED); what it had done was not undone',
  });
  expect(
    await one('select count(*)::int as n from target_locks where execution_id = $1', executionId),
  ).toEqual({
    n: 0,
  });
});

test('an alert whose workflow was terminated is looked after again', async () => {
  const alertId = await addAlert(await addIncident(1));
  statuses.set(`alert:${database.orgId}:${alertId}`, 'CANCELED');
  await reconciler.reconcile();
  expect(started).toEqual([`alert ${alertId} again`]);
});

describe('what tells many messages in one', () => {
  const pattern = 'DiskFull checkout';
  const long = 3 * 3_600_000;
  const ops = { type: 'channel', name: 'ops' } as const;
  let count = 0;

  /** One message was held back so long ago, of an hour that began then. */
  async function hold(agoMs: number, told: { updates: boolean; resolves?: true }): Promise<number> {
    const { orgId } = database;
    const destination = `channel:ops${count++}`;
    const now = Date.now() - agoMs;
    const message = { orgId, destination, label: 'ops', person: null, channel: 'webhook', pattern, now };
    const held = await database.db.write({ orgId }, async (tx) => {
      const counted = () => countTowardsLimit(tx, { ...message, told: { target: ops, ...told } });
      for (let n = 0; n < messagesPerHour; n++) await counted();
      return await counted();
    });
    const { consolidated } = held!;
    await database.owner.query('update notifications set created_at = $1 where id = $2', [
      new Date(now),
      consolidated,
    ]);
    return consolidated;
  }
  const stands = async (id: number, status: string) => {
    statuses.set(`consolidation:${database.orgId}:${id}`, status);
    await reconciler.reconcile();
    return consolidations.splice(0).map(({ limit }) => limit);
  };
  const tell = (first: number, end: string) =>
    database.owner.query(
      `insert into notifications (org_id, key, type, channel, destination, subject, status, part_of)
       select org_id, key || $2, type, channel, destination, subject, 'sent', id from notifications where id = $1`,
      [first, end],
    );

  test('is begun again as it was while its hour lasts', async () => {
    const id = await hold(1_800_000, { updates: true });
    expect(await stands(id, 'RUNNING')).toEqual([]);
    statuses.set(`consolidation:${database.orgId}:${id}`, 'MISSING');
    await reconciler.reconcile();
    const began = consolidations.map(({ ends }) => Date.parse(ends) - hourMs - 30_000);
    expect(Math.abs((began[0] ?? 0) - (Date.now() - 1_800_000))).toBeLessThan(60_000);
    expect(consolidations.splice(0)).toEqual([
      {
        orgId: database.orgId,
        limit: id,
        key: expect.stringMatching(/^consolidated:channel:ops\d+:DiskFull checkout:\d+$/),
        pattern,
        ends: expect.any(String),
        target: ops,
        updates: true,
      },
    ]);
    // it said what it had to say, or cannot: the next message that is held back tries again
    expect(await stands(id, 'COMPLETED')).toEqual([]);
    expect(await stands(id, 'FAILED')).toEqual([]);
    expect(await stands(await hold(long, { updates: true }), 'MISSING')).toEqual([]);
  });

  test('is begun again where people are paged for it still, however long ago it began', async () => {
    const id = await hold(long, { updates: true, resolves: true });
    // nobody is paged for what never left
    expect(await stands(id, 'MISSING')).toEqual([]);
    await database.owner.query(`update notifications set status = 'sent' where id = $1`, [id]);
    expect(await stands(id, 'MISSING')).toEqual([id]);
    await tell(id, ':40:1:over');
    expect(await stands(id, 'MISSING')).toEqual([]);
    await tell(id, ':44:2');
    expect(await stands(id, 'MISSING')).toEqual([id]);
  });
});

test('every row is compared, however many there are', async () => {
  const incidentId = await addIncident(1);
  await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels, annotations,
       starts_at, received_at, dispatched_version, incident_id)
     select $1, $2, 'many' || n, 'firing', 'a', 'low', 3, '{}', '{}', now(), now() - interval '1 hour', 1, $3
     from generate_series(1, 1200) n`,
    [database.orgId, integrationId, incidentId],
  );
  const { rows } = await database.owner.query(`select id from alerts where fingerprint = 'many1200'`);
  statuses.set(`alert:${database.orgId}:${rows[0].id}`, 'MISSING');
  await reconciler.reconcile();
  expect(started).toEqual([`alert ${rows[0].id}`]);
});
