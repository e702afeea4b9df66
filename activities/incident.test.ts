import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { saveRunbook } from '../db/runbooks.ts';
import { parseRunbook } from '../domain/runbook/parse.ts';
import { addAlertmanager } from '../test/harness/alerts.ts';
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
  integrationId = await addAlertmanager(database);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query(
    'delete from executions; delete from alerts; delete from incidents; delete from escalation_policies',
  );
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank) values ($1, 1, 't', 'low', 3) returning id`,
    [database.orgId],
  );
  incidentId = rows[0].id;
});

async function addAlert(
  host: string,
  minutesAgo: number,
  status: 'firing' | 'resolved',
  to = incidentId,
): Promise<number> {
  const { rows } = await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, labels, annotations,
       starts_at, received_at, incident_id)
     values ($1, $2, $3, $4, 'ServiceDown', 'low', 3, $5, '{}', now(), now() - $6 * interval '1 minute', $7) returning id`,
    [database.orgId, integrationId, host, status, { host }, minutesAgo, to],
  );
  return rows[0].id;
}
const activities = () =>
  createIncidentActivities({ db: database.db, reopenWindowMs: 0, signalFeedUnread: async () => {} });
const create = (alertId: number, executionId = randomUUID(), of = incidentId) =>
  activities().createIncidentExecution({
    orgId: database.orgId,
    incidentId: of,
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

describe('a runbook that an alert called for before it was moved', () => {
  let other: string;
  beforeEach(async () => {
    const { rows } = await database.owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank) values ($1, 2, 't', 'low', 3) returning id`,
      [database.orgId],
    );
    other = rows[0].id;
    const policy = {
      levels: [{ after: '0s', targets: [{ type: 'email', address: 'a@example.com' }] }],
      repeats: 0,
    };
    await database.owner.query(
      `insert into escalation_policies (org_id, name, definition) values ($1, 'default', $2)`,
      [database.orgId, JSON.stringify(policy)],
    );
  });
  /** Joins the feed of the incident that it is in, as new alerts do. */
  const fire = async (host: string, into: string) => {
    const id = await addAlert(host, 10, 'firing', into);
    await database.owner.query(
      `with i as (update incidents set feed_seq = feed_seq + 1 where id = $2 returning feed_seq)
       insert into incident_feed (org_id, incident_id, seq, kind, alert_id, alert_version)
       select $1, $2, feed_seq, 'joined', $3, 1 from i`,
      [database.orgId, into, id],
    );
    return id;
  };
  const began = async (alertId: number, change = `status = 'succeeded', started_at = now()`) => {
    const executionId = randomUUID();
    await create(alertId, executionId, other);
    await database.owner.query(`update executions set ${change} where id = $1`, [executionId]);
  };
  const moved = (alertIds: number[] | null) =>
    activities().regroupIncident({
      orgId: database.orgId,
      incidentId: other,
      key: randomUUID(),
      alertIds,
      into: 1,
      by: 'ana@example.com',
      reason: null,
    });
  const calledFor = async () => {
    const digest = await activities().readFeed({ orgId: database.orgId, incidentId, afterSeq: 0 });
    return digest.matches.map(({ runbook, alertId }) => `${runbook} ${alertId}`);
  };

  test('is not begun again by a merge, whichever of the alerts it was begun for, until it fires anew', async () => {
    const first = await fire('web-1', other);
    await fire('web-2', other);
    await began(first);
    await moved(null);
    expect(await calledFor()).toEqual([]);
    const third = await fire('web-3', incidentId);
    expect(await calledFor()).toEqual([]);
    await database.owner.query(
      `insert into timeline (org_id, incident_id, kind, actor, summary, dedup_key)
       values ($1, $2, 'reopened', 'Holdfast', 'x', 'x')`,
      [database.orgId, incidentId],
    );
    expect(await calledFor()).toEqual([`restart ${third}`]);
  });

  test('is not begun again by a split for the alert that it was begun for, and is for another one', async () => {
    const [first, second] = [await fire('web-1', other), await fire('web-2', other)];
    await fire('web-3', other);
    await began(first, `status = 'running', started_at = now()`);
    await moved([first]);
    expect(await calledFor()).toEqual([]);
    await moved([second]);
    expect(await calledFor()).toEqual([`restart ${second}`]);
  });

  test.each([
    ['waits for an approval that the merge withdraws', `status = 'waiting'`],
    ['was withdrawn', `status = 'cancelled'`],
    ['was run by a person', `status = 'succeeded', started_at = now(), requested_by = 'ana@example.com'`],
  ])('is due where it goes on when it %s', async (_, change) => {
    const alert = await fire('web-1', other);
    await began(alert, change);
    await moved(null);
    expect(await calledFor()).toEqual([`restart ${alert}`]);
  });
});

test('a merge that is refused is wanted no more', async () => {
  await addAlert('web-1', 10, 'firing');
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, closed_at)
     values ($1, 2, 't', 'low', 3, now()) returning id`,
    [database.orgId],
  );
  await database.owner.query('update incidents set merge_wanted = $1 where id = $2', [
    rows[0].id,
    incidentId,
  ]);
  const merge = activities().regroupIncident({
    orgId: database.orgId,
    incidentId,
    key: 'k',
    alertIds: null,
    into: 2,
    by: 'Holdfast',
    reason: null,
  });
  await expect(merge).rejects.toThrow('#2 is closed');
  const { rows: after } = await database.owner.query('select merge_wanted from incidents where number = 1');
  expect(after).toEqual([{ merge_wanted: null }]);
});
