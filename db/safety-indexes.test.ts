import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { seedExecution, seedRunbookVersion } from '../test/harness/executions.ts';
import { openQueryPlans, type QueryPlans } from '../test/harness/query-plans.ts';
import { admitExecution } from './admission.ts';
import { listRunningExecutions, listStops } from './automation.ts';
import { listOpenCircuits } from './circuit-breakers.ts';
import type { Tx } from './database.ts';
import { readMaintenanceToTry } from './maintenance-preview.ts';
import { listMaintenanceWindows } from './maintenance-windows.ts';
import { listTargets, lockTarget } from './target-locks.ts';

/**
 * 100,000 executions of one organization, 2,000 of them of the last hour, asked as the application asks, under
 * row-level security: the rules are asked before every run, so none may read through all of them.
 */
let fixture: TestDatabase;
let plans: QueryPlans;
let waiting: string;

beforeAll(async () => {
  fixture = await createTestDatabase();
  plans = openQueryPlans(fixture);
  await seedRunbookVersion(fixture, 'runbook-7');
  await fixture.owner.query(
    `insert into executions (org_id, runbook, runbook_version, requested_by, mode, target, inputs, status,
       workflow_id, layout, created_at, admitted_at, started_at, finished_at)
     select $1, 'runbook-' || n % 40, 1, 'ana@example.com', 'auto', 'host-' || n % 50, '{}',
       case when n % 40 = 7 then 'failed' else 'succeeded' end, n::text, '{"scopes": [], "steps": []}',
       t.at, t.at, t.at, t.at + interval '20 seconds'
     from generate_series(1, 100000) n,
       lateral (select now() - n * interval '1.8 seconds' - interval '1 minute' as at) t`,
    [fixture.orgId],
  );
  await fixture.owner.query(
    `insert into safety_rules (org_id, scope, name, definition, updated_by)
     select $1::uuid, 'organization', '', '{"maxPerHour": 5000}'::jsonb, 'ana@example.com'
     union all
     select $1, 'target', 'host-' || n || '*', '{"maxPerHour": 5000}'::jsonb, 'ana@example.com' from generate_series(1, 200) n`,
    [fixture.orgId],
  );
  waiting = await seedExecution(fixture, { runbook: 'runbook-7', target: 'host-7' });
  await fixture.owner.query('vacuum analyze');
}, 240_000);
afterAll(async () => {
  await plans.close();
  await fixture.close();
});

const asked: Record<string, { most: number; statements: number; ask: (tx: Tx) => Promise<unknown> }> = {
  // the second statement reads the actions of the last hour, which are what the limit is about
  admission: {
    most: 6_000,
    statements: 2,
    ask: (tx) => admitExecution(tx, { orgId: fixture.orgId, executionId: waiting }),
  },
  'the lock on a target': {
    most: 6_000,
    statements: 12,
    ask: (tx) => lockTarget(tx, { orgId: fixture.orgId, executionId: waiting }),
  },
  'open circuit breakers': { most: 10_000, statements: 1, ask: listOpenCircuits },
  'running executions': { most: 1_000, statements: 1, ask: listRunningExecutions },
  targets: { most: 1_000, statements: 1, ask: listTargets },
  stops: { most: 100, statements: 1, ask: listStops },
  'maintenance windows': {
    most: 100,
    statements: 1,
    ask: (tx) => listMaintenanceWindows(tx, new Date()),
  },
  // the latest 20,000 are looked at, however many there are
  'the preview of a maintenance window': {
    most: 50_000,
    statements: 3,
    ask: (tx) =>
      readMaintenanceToTry(
        tx,
        {
          target: 'host-*',
          team: null,
          startsAt: new Date().toISOString(),
          endsAt: new Date(Date.now() + 3_600_000).toISOString(),
          reason: 'disk swap',
        },
        new Date(Date.now() - 30 * 86_400_000),
      ),
  },
};

test.for(Object.entries(asked))('%s: by index at 100,000 executions', async ([name, { ask, ...limits }]) => {
  const { milliseconds, looked, scans, statements } = await plans.of(ask);
  if (process.env.SHOW_PLANS) {
    console.log(`${name}: ${milliseconds.toFixed(1)} ms, ${looked} rows looked at, ${statements} statements`);
  }
  expect(scans).not.toContain('executions');
  expect(looked).toBeLessThan(limits.most);
  expect(statements).toBeLessThanOrEqual(limits.statements);
});
