import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { saveRunbook } from '../../db/runbooks.ts';
import type { StepCheck } from '../../domain/dry-run.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';
import { dryRunReport } from './schema.ts';

let api: TestApi;

const source = `
name: restart-service
description: Restart a failing service
inputs:
  service: {}
  mode: { default: soft }
  token: { secret: true, required: false }
execution:
  mode: semi_auto
  approvals: 2
  not_requester: true
steps:
  - name: Restart
    command: [systemctl, restart, "{{service}}", "{{token}}"]
    rollback: [systemctl, start, "{{service}}"]
  - name: Hard
    condition: { variable: mode, equals: hard }
    command: [reboot]
  - name: Look
    condition: { step: Restart, status: succeeded }
    runner: east
    url: "http://{{service}}.internal/health"
  - name: Ask
    type: approval
    message: Go on?
  - name: Tell
    type: notify
    to: [{ user: owner@example.com }, { channel: nowhere }]
    condition: { variable: mode, equals: hard }
    message: It goes on
`;

beforeAll(async () => {
  api = await createTestApi();
  const parsed = parseRunbook(source, 'restart.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  await api.write((tx) => saveRunbook(tx, { orgId: api.orgId, file: 'restart.yaml', source, definition }));
  await api.fixture.owner.query(
    `insert into runners (org_id, queue, instance, version, started_at, last_seen_at)
     values ($1, 'east', 'host:1', '0.1.0', '2026-01-31T02:00:00Z', '2026-01-31T03:00:00Z')`,
    [api.orgId],
  );
});
afterAll(() => api?.close());
beforeEach(() => {
  api.messages.sent.length = 0;
});

const dryRun = (body?: object, token = api.tokens.operator) =>
  api.ask('POST', '/api/v1/runbooks/restart-service/dry-run', { token, body });
const inputs = { service: 'checkout', token: 'very-secret' };

test('the report shows each step as it would be, and what was found where it would run', async () => {
  const { status, body } = await dryRun({ inputs });
  expect(status).toBe(200);
  const report = dryRunReport.parse(body);
  expect(report).toMatchObject({
    runbook: 'restart-service',
    version: 1,
    target: 'checkout',
    permission: { needed: 'operator', held: 'operator' },
    refusal: null,
    lock: null,
    ready: true,
    sentence: 'All that it needs is there; it asks for approval.',
  });
  expect(report.approvals).toMatchObject([
    // owner and admin; the operator asks, a viewer may not
    { when: 'before the first step', able: 2, rules: { needed: 2, notRequester: true } },
    { when: "at the step 'Ask'", able: 2 },
  ]);
  const [restart, hard, look, ask] = report.steps;
  expect(restart).toMatchObject({
    description: 'systemctl restart checkout ***',
    rollback: { description: 'systemctl start checkout', runner: null },
    findings: [{ what: 'connection' }, { what: 'undo: connection' }],
  });
  expect(hard).toMatchObject({
    condition: { state: 'not_met', detail: expect.stringContaining("mode is 'hard' (it is 'soft')") },
    findings: [],
  });
  expect(look).toMatchObject({
    runner: 'east',
    where: 'at http://checkout.internal, from runner east',
    condition: { state: 'open' },
  });
  expect(ask).toMatchObject({ where: 'in Holdfast', findings: [] });
  const [sent] = api.messages.sent;
  const checks = sent?.args[1] as StepCheck[];
  expect(checks).toHaveLength(3);
  expect(checks[2]?.runner).toEqual({ name: 'east', lastSeenAt: '2026-01-31T03:00:00.000Z' });
});

test('a secret that was given is neither told nor sent on', async () => {
  const { body } = await dryRun({ inputs });
  expect(JSON.stringify([body, api.messages.sent])).not.toContain('very-secret');
});

test('whom a step tells is looked up', async () => {
  const { body } = await dryRun({ inputs: { ...inputs, mode: 'hard' } });
  expect(body).toMatchObject({
    ready: false,
    sentence: expect.stringMatching(/^Step 5 \(Tell\) lacks something: channel nowhere: is not known/),
  });
  expect(body.steps[4].findings).toMatchObject([
    { ok: true, what: 'user owner@example.com' },
    { ok: false, what: 'channel nowhere' },
  ]);
});

test('nothing is written down', async () => {
  const rows = async () =>
    (
      await api.fixture.owner.query(
        `select (select count(*) from executions) as executions, (select count(*) from execution_steps) as steps,
          (select count(*) from approvals) as approvals, (select count(*) from audit_log) as audit,
          (select count(*) from target_locks) as locks, (select count(*) from target_queue) as queue`,
      )
    ).rows[0];
  const before = await rows();
  await dryRun({ inputs });
  expect(await rows()).toEqual(before);
});

test('inputs that cannot be used are 422, each with its name', async () => {
  const { status, body } = await dryRun({ inputs: { service: '-rf' } });
  expect(status).toBe(422);
  expect(body.errors).toMatchObject([{ field: 'inputs.service', message: expect.stringContaining('-rf') }]);
  const missing = await dryRun();
  expect(missing.body.errors).toMatchObject([{ field: 'inputs.service' }]);
  expect((await dryRun({ inputs: { ...inputs, bogus: '1' } })).status).toBe(422);
  expect(api.messages.sent).toEqual([]);
});

test('the rules of safety and whoever holds the target are told', async () => {
  const started = await api.ask('POST', '/api/v1/runbooks/restart-service/run', {
    token: api.tokens.operator,
    body: { inputs },
  });
  await api.fixture.owner.query(
    `insert into target_locks (org_id, target, execution_id) values ($1, 'checkout', $2)`,
    [api.orgId, started.body.id],
  );
  const held = await dryRun({ inputs });
  expect(held.body).toMatchObject({
    ready: true,
    lock: { heldBy: started.body.id, runbook: 'restart-service', waiting: 0 },
    sentence: expect.stringContaining('waits until restart-service is done with checkout'),
  });
  await api.fixture.owner.query(
    `insert into automation_stops (org_id, stopped_by, reason) values ($1, 'ana@example.com', 'bad night')`,
    [api.orgId],
  );
  const stopped = await dryRun({ inputs });
  await api.fixture.owner.query(`delete from automation_stops`);
  expect(stopped.body).toMatchObject({
    ready: false,
    refusal: { rule: 'kill switch', reason: expect.stringContaining('bad night'), until: null },
    sentence: "It would be refused now by the rule 'kill switch'.",
  });
});

test('an approval that too few people may give is found out', async () => {
  const disable = (at: string | null) =>
    api.fixture.owner.query(`update users set disabled_at = $1 where email = 'admin@example.com'`, [at]);
  await disable('2026-01-31T03:00:00Z');
  const { body } = await dryRun({ inputs });
  await disable(null);
  expect(body).toMatchObject({
    ready: false,
    sentence: 'It could not pass before the first step: it takes 2 approvals, and 1 person may give one.',
  });
});

test('it takes an Operator, a runbook, an incident, and Temporal', async () => {
  expect((await dryRun({ inputs }, api.tokens.viewer)).status).toBe(403);
  expect((await dryRun({ inputs, incident: 99 })).status).toBe(404);
  const nothing = await api.ask('POST', '/api/v1/runbooks/nothing/dry-run', { token: api.tokens.operator });
  expect(nothing.status).toBe(404);
  api.messages.next(new TemporalUnavailableError('Temporal does not answer'));
  expect((await dryRun({ inputs })).status).toBe(503);
});
