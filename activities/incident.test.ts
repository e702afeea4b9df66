import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { saveRunbook } from '../db/runbooks.ts';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { createIncidentActivities } from './incident.ts';

let database: TestDatabase;
let integrationId: string;
let incidentId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  const { orgId } = database;
  const source = `
name: restart
triggers: [{ alert_pattern: "ServiceDown*", min_duration_seconds: 300 }]
inputs: { host: {} }
execution: { target: "{{host}}" }
steps: [{ name: Restart, command: [systemctl, restart, app] }]
`;
  const parsed = parseRunbook(source, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  await database.db.write({ orgId }, (tx) =>
    saveRunbook(tx, { orgId, file: 'restart.yaml', source, definition }),
  );
  const { rows } = await database.owner.query(
    `insert into integrations (org_id, kind, name, key_hash) values ($1, 'alertmanager', 'am', 'k') returning id`,
    [orgId],
  );
  integrationId = rows[0].id;
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query('delete from executions; delete from alerts; delete from incidents');
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank) values ($1, 1, 't', 'low', 3) returning id`,
    [database.orgId],
  );
  incidentId = rows[0].id;
});

async function addAlert(host: string, minutesAgo: number, status: 'firing' | 'resolved'): Promise<number> {
  const { rows } = await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels, annotations,
       starts_at, received_at, incident_id)
     values ($1, $2, $3, $4, 'ServiceDown', 'low', 3, $5, '{}', now(), now() - $6 * interval '1 minute', $7) returning id`,
    [database.orgId, integrationId, host, status, { host }, minutesAgo, incidentId],
  );
  return rows[0].id;
}
const create = (alertId: number, executionId = randomUUID()) =>
  createIncidentActivities({
    db: database.db,
    reopenWindowMs: 0,
    signalFeedUnread: async () => {},
  }).createIncidentExecution({
    orgId: database.orgId,
    incidentId,
    executionId,
    runbook: 'restart',
    alertId,
  });
const targets = async () =>
  (await database.owner.query('select target from executions')).rows.map((row) => row.target);

test('an execution is for the alert that called for it', async () => {
  await addAlert('web-1', 20, 'firing');
  await create(await addAlert('web-2', 10, 'firing'));
  expect(await targets()).toEqual(['web-2']);
});

test('when that alert is over, it is for another one that has fired long enough', async () => {
  const over = await addAlert('web-1', 10, 'resolved');
  await addAlert('web-2', 2, 'firing');
  await expect(create(over)).rejects.toThrow(/is over, and no other has fired long enough/);
  await addAlert('web-3', 6, 'firing');
  await create(over);
  expect(await targets()).toEqual(['web-3']);
});

test('what was written down is not refused when it is written down again', async () => {
  const alertId = await addAlert('web-1', 10, 'firing');
  const executionId = randomUUID();
  await create(alertId, executionId);
  await database.owner.query(`update alerts set status = 'resolved'`);
  await create(alertId, executionId);
  expect(await targets()).toEqual(['web-1']);
});
