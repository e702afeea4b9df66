import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { ClosedError, RefusedError } from '../../workflows/messages-client.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
  const { rows } = await api.fixture.owner.query<{ id: string }>(
    `insert into incidents (org_id, number, title, severity, severity_rank, status, opened_at)
     values ($1, 7, 'down', 'critical', 0, 'resolved', now() - interval '1 hour') returning id`,
    [api.orgId],
  );
  await api.fixture.owner.query(
    `insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state, pauses)
     select $1, $2, kind, 'critical', now() - interval '1 hour', now(), now(), state, '[[1, 2]]'
     from (values ('acknowledge', 'met'), ('resolve', 'breached')) c(kind, state)`,
    [api.orgId, rows[0]?.id],
  );
});
afterAll(() => api.close());

const explain = (clock: string, body: object, token = api.tokens.operator) =>
  api.ask('POST', `/api/v1/incidents/7/breaches/${clock}/reason`, { token, body });

test('the reason goes to the workflow that runs', async () => {
  expect((await explain('resolve', { reason: 'complex_cause', note: 'three faults at once' })).status).toBe(
    200,
  );
  expect(api.messages.sent.at(-1)).toMatchObject({
    method: 'explainBreach',
    args: [api.orgId, 7, { clock: 'resolve', reason: 'complex_cause', note: 'three faults at once' }],
  });
});

test('once the workflow has ended it is written down, once, and a later word replaces it', async () => {
  for (const reason of ['not_available', 'not_available', 'runbook_failure']) {
    api.messages.next(new ClosedError('it has ended'));
    expect((await explain('resolve', { reason })).status).toBe(200);
  }
  const { body } = await api.ask('GET', '/api/v1/incidents/7', { token: api.tokens.viewer });
  expect(body.sla[1]).toMatchObject({
    state: 'breached',
    pauses: [{ from: '1970-01-01T00:00:00.001Z', to: '1970-01-01T00:00:00.002Z' }],
    breach: { reason: 'runbook_failure', note: null, by: 'operator@example.com' },
  });
  const { rows } = await api.fixture.owner.query(
    `select summary from timeline where kind = 'breach_explained' order by id`,
  );
  expect(rows.map(({ summary }) => summary)).toEqual([
    'Why it was not resolved in time: nobody was available',
    'Why it was not resolved in time: a runbook failed',
  ]);
});

test('what is not breached, and a reason without words, are refused', async () => {
  api.messages.next(new ClosedError('it has ended'));
  expect((await explain('acknowledge', { reason: 'not_available' })).status).toBe(409);
  api.messages.next(new RefusedError('its clock to resolve is not breached'));
  expect((await explain('resolve', { reason: 'not_available' })).status).toBe(409);
  expect((await explain('resolve', { reason: 'other' })).body.errors).toMatchObject([{ field: 'note' }]);
  expect((await explain('resolve', { reason: 'not_available' }, api.tokens.viewer)).status).toBe(403);
});
