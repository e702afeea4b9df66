import { type CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { seedExecution, seedRunbookVersion } from '../test/harness/executions.ts';
import { admitExecution } from './admission.ts';
import { listRunningExecutions, listStops } from './automation.ts';
import { listOpenCircuits } from './circuit-breakers.ts';
import type { Tx } from './database.ts';
import { readMaintenanceToTry } from './maintenance-preview.ts';
import { listMaintenanceWindows } from './maintenance-windows.ts';
import type { Schema } from './schema.ts';
import { listTargets, lockTarget } from './target-locks.ts';

/**
 * 100,000 executions of one organization, 2,000 of them of the last hour, asked as the application asks, under
 * row-level security: the rules are asked before every run, so none may read through all of them.
 */
let fixture: TestDatabase;
let capturing: Kysely<Schema>;
let captured: CompiledQuery[] = [];
let waiting: string;

beforeAll(async () => {
  fixture = await createTestDatabase();
  const pool = new pg.Pool({
    connectionString: fixture.url,
    max: 2,
    onConnect: async (client: pg.ClientBase) => {
      await client.query('set role holdfast_app');
    },
  });
  capturing = new Kysely<Schema>({
    dialect: new PostgresDialect({ pool }),
    log: (event) => {
      captured.push(event.query as CompiledQuery);
    },
  });
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
  await capturing.destroy();
  await fixture.close();
});

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
}

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
  const { milliseconds, looked, scans, statements } = await capturing.transaction().execute(async (tx) => {
    await sql`select set_config('app.org_id', ${fixture.orgId}, true), set_config('app.team_ids', '*', true)`.execute(
      tx,
    );
    captured = [];
    await ask(tx);
    const queries = captured.filter((query) => /^\s*(select|with)/i.test(query.sql));
    const found = { milliseconds: 0, looked: 0, scans: 0, statements: captured.length };
    const visit = (node: Plan): void => {
      found.looked += (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
      if (node['Node Type'] === 'Seq Scan' && node['Relation Name'] === 'executions') found.scans++;
      node.Plans?.forEach(visit);
    };
    for (const query of queries) {
      const explained = await tx.executeQuery<{ 'QUERY PLAN': { Plan: Plan; 'Execution Time': number }[] }>({
        ...query,
        sql: `explain (analyze, format json) ${query.sql}`,
      } as CompiledQuery<{ 'QUERY PLAN': { Plan: Plan; 'Execution Time': number }[] }>);
      const { Plan: plan, 'Execution Time': time } = explained.rows[0]!['QUERY PLAN'][0]!;
      found.milliseconds += time;
      visit(plan);
    }
    return found;
  });
  if (process.env.SHOW_PLANS) {
    console.log(`${name}: ${milliseconds.toFixed(1)} ms, ${looked} rows looked at, ${statements} statements`);
  }
  expect(scans).toBe(0);
  expect(looked).toBeLessThan(limits.most);
  expect(statements).toBeLessThanOrEqual(limits.statements);
});
