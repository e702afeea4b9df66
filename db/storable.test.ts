import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { standing } from '../test/harness/incident-standing.ts';
import { recordIncident } from './incident-record.ts';
import { storable } from './storable.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('leaves out NUL and half surrogate pairs, at every depth, and nothing else', () => {
  const at = new Date();
  expect(storable({ a: ['x\0y', { b: 'half \ud83d' }], c: 1, d: null, at })).toEqual({
    a: ['xy', { b: 'half \ufffd' }],
    c: 1,
    d: null,
    at,
  });
  expect(storable('🔥 whole')).toBe('🔥 whole');
});

test('a note with NUL in it, and an assignee with half an emoji, are recorded', async () => {
  const incidentId = randomUUID();
  await database.owner.query(
    `insert into incidents (org_id, id, number, title, severity, severity_rank) values ($1, $2, 1, 't', 'low', 3)`,
    [database.orgId, incidentId],
  );
  const entry = {
    seq: 1,
    at: Date.now(),
    kind: 'note',
    actor: 'ana',
    summary: 'a\0b',
    data: {},
    audit: 'incident.note',
  };
  await database.db.write({ orgId: database.orgId }, (tx) =>
    recordIncident(tx, {
      orgId: database.orgId,
      incidentId,
      seq: 1,
      deadlines: [],
      standing: standing({ assignedTo: 'ben \ud83d', escalationFrom: Date.now() }),
      entries: [entry],
    }),
  );
  const { rows } = await database.owner.query(
    'select assigned_to, summary from incidents join timeline on incident_id = incidents.id',
  );
  expect(rows).toEqual([{ assigned_to: 'ben \ufffd', summary: 'ab' }]);
});
