import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { until } from '../test/harness/workflows.ts';
import { Database } from './database.ts';
import { loadExecutionPlan } from './execution-plan.ts';
import { getExecution } from './executions-read.ts';
import { migrate } from './migrate.ts';
import { up as upSpine } from './migrations/2026-11-21-spine.ts';
import { up as upRunbooks } from './migrations/2026-11-22-runbooks.ts';
import { up as upEvidence } from './migrations/2026-11-23-evidence.ts';
import { up as upRightPerson } from './migrations/2026-11-24-right-person.ts';
import { up as upPartsOfOne } from './migrations/2026-11-29-parts-of-one.ts';

const name = `plain_${randomUUID().replaceAll('-', '')}`;
let admin: pg.Client;
let url: URL;

beforeAll(async () => {
  admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`create role ${name} login password 'p'`);
  await admin.query(`create database ${name} owner ${name}`);
  url = new URL(inject('postgresUrl'));
  Object.assign(url, { username: name, password: 'p', pathname: `/${name}` });
});
afterAll(async () => {
  await admin.query(`drop database if exists ${name} with (force)`);
  await admin.query(`drop role if exists ${name}`);
  await admin.end();
});

// the role holdfast_app is of the whole cluster, and the test run's own migration has made it there
test('a user who may make no roles migrates once somebody has granted it holdfast_app', async () => {
  await expect(migrate(url.href)).rejects.toThrow(/permission denied to grant role "holdfast_app"/);
  await admin.query(`grant holdfast_app to ${name}`);
  expect(await migrate(url.href)).toContain('2026-11-21-spine');
  expect(await migrate(url.href)).toEqual([]);
  const db = new Database({ url: url.href, poolSize: 1 });
  const seen = await db.unscoped((tx) => tx.selectFrom('incidents').select('id').execute());
  expect(seen).toEqual([]);
  await db.close();
});

/** A database whose migrations the test runs one by one, and an organization in what `upSpine` has made. */
async function upgrading(
  work: (at: { db: Database; kysely: Kysely<unknown>; pool: pg.Pool; orgId: string }) => Promise<void>,
): Promise<void> {
  const upgraded = `upgraded_${randomUUID().replaceAll('-', '')}`;
  await admin.query(`create database ${upgraded}`);
  const before = new URL(inject('postgresUrl'));
  before.pathname = `/${upgraded}`;
  const pool = new pg.Pool({ connectionString: before.href, max: 1 });
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const db = new Database({ url: before.href, poolSize: 1 });
  try {
    await upSpine(kysely);
    const { rows } = await pool.query(
      `insert into organizations (slug, name) values ('o', 'o') returning org_id as "orgId"`,
    );
    await work({ db, kysely, pool, orgId: rows[0].orgId });
  } finally {
    await db.close();
    await kysely.destroy();
    // the server is a moment behind in closing its sessions, and forcing it is an error of theirs
    await until(
      () =>
        admin.query(`drop database ${upgraded}`).then(
          () => true,
          () => false,
        ),
      'the database to be dropped',
    );
  }
}

test('an execution that was under way before layouts goes on with what it ran', async () => {
  await upgrading(async ({ db, kysely, pool, orgId }) => {
    const id = randomUUID();
    await pool.query(
      `insert into runbook_versions (org_id, name, version, source, definition) values ($1, 'mend', 1, '', $2)`,
      [orgId, JSON.stringify(formerDefinition)],
    );
    await pool.query(
      `insert into executions (org_id, id, runbook, runbook_version, requested_by, mode, target, inputs, status, workflow_id)
       values ($1, $2, 'mend', 1, 'Holdfast', 'semi_auto', 'web', '{"host": "web", "token": "hunter2"}', 'running', 'w')`,
      [orgId, id],
    );
    await pool.query(
      `insert into execution_steps (org_id, execution_id, index, name, type, description, status)
       values ($1, $2, 0, 'Restart', 'command', 'restart web', 'running')`,
      [orgId, id],
    );
    await upRunbooks(kysely);
    await upEvidence(kysely);
    await upRightPerson(kysely);
    const plan = await db.read({ orgId }, (tx) => loadExecutionPlan(tx, id));
    expect(plan).toMatchObject({
      approval: { needed: 2, timeoutMs: 60_000, role: 'operator', onTimeout: 'expire' },
      steps: [
        { name: 'Restart', part: 'step', work: { kind: 'effect' }, skipped: null, undoTimeoutMs: 5000 },
      ],
    });
    const execution = await db.read({ orgId }, (tx) => getExecution(tx, id));
    expect(execution?.inputs).toMatchObject({ host: 'web', token: '***' });
  });
});

test('messages that went on from one that stands for many are parts of it', async () => {
  await upgrading(async ({ kysely, pool, orgId }) => {
    for (const up of [upRunbooks, upEvidence, upRightPerson]) await up(kysely);
    const first = 'consolidated:email:ana@example.com:Load 1:5 db:1795308334915';
    const keys = [
      first,
      `${first}:1:12`,
      `${first}:7:12:over`,
      'consolidated:email:x:y:1795308334915:1:2',
      'other:1:2',
    ];
    await pool.query(
      `insert into notifications (org_id, key, type, channel, destination, subject, status)
       select $1, key, case key when 'other:1:2' then 'escalation.page' else 'notifications.consolidated' end,
         'email', 'ana@example.com', 's', 'sent' from unnest($2::text[]) key`,
      [orgId, keys],
    );
    await upPartsOfOne(kysely);
    const { rows } = await pool.query(
      `select later.key from notifications later join notifications first on first.id = later.part_of
       where first.key = $1 order by later.id`,
      [first],
    );
    expect(rows.map(({ key }) => key)).toEqual(keys.slice(1, 3));
    const { rows: parts } = await pool.query(
      'select count(*)::int as n from notifications where part_of is not null',
    );
    expect(parts).toEqual([{ n: 2 }]);
  });
});

const formerDefinition = {
  name: 'mend',
  description: '',
  tags: [],
  triggers: [],
  inputs: {
    host: { required: true, allowLeadingDash: false, secret: false },
    token: { required: true, allowLeadingDash: false, secret: true },
  },
  execution: {
    mode: 'semi_auto',
    approvalsNeeded: 2,
    approvalTimeoutMs: 60_000,
    maxPerHour: 10,
    cooldownMs: 0,
    allowedHosts: [],
  },
  steps: [
    {
      name: 'Restart',
      type: 'command',
      timeoutMs: 5000,
      retries: 0,
      retryDelayMs: 0,
      continueOnFail: false,
      idempotent: false,
      action: { kind: 'command', form: { shell: 'restart {{host}} {{token}}' }, requiresSudo: false },
      rollback: {
        action: { kind: 'command', form: { shell: 'restart {{host}}' }, requiresSudo: false },
        timeoutMs: 5000,
      },
    },
  ],
};
