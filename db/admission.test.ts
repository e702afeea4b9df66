import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { type ExecutionSeed, seedExecution, seedRunbookVersion } from '../test/harness/executions.ts';
import { admitExecution } from './admission.ts';
import { letGoOn, listRunningExecutions, listStops, resumeAutomation, stopAutomation } from './automation.ts';
import { getOpenCircuit, listOpenCircuits, resetCircuit } from './circuit-breakers.ts';
import type { Tx } from './database.ts';
import {
  createMaintenanceWindow,
  deleteMaintenanceWindow,
  listMaintenanceWindows,
} from './maintenance-windows.ts';
import { deleteSafetyRules, listSafetyRules, putSafetyRules } from './safety.ts';

let database: TestDatabase;
let orgId: string;
let red: string;
const actor = 'ana@example.com';

beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = database);
  const team = await database.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
    [orgId],
  );
  red = team.rows[0].id;
  await seedRunbookVersion(database, 'restart');
  await seedRunbookVersion(database, 'careful', {
    maxPerHour: 3,
    cooldownMs: 7_200_000,
    environments: ['staging'],
  });
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.owner.query(
    `delete from executions; delete from safety_rules; delete from automation_stops;
     delete from circuit_resets; delete from maintenance_windows; delete from audit_log`,
  );
});

const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.db.write({ orgId }, work);
const create = (seed: ExecutionSeed = {}) => seedExecution(database, seed);
const admit = (executionId: string) => write((tx) => admitExecution(tx, { orgId, executionId }));
const ask = async (seed: ExecutionSeed = {}) => (await admit(await create(seed)))?.reason ?? null;
const audited = async () =>
  (await database.owner.query('select action, subject from audit_log order by id')).rows.map(
    ({ action, subject }) => `${action} ${subject}`,
  );

describe('admission', () => {
  test('looks and reserves nothing', async () => {
    const id = await create();
    expect(await admit(id)).toBeNull();
    const { rows } = await database.owner.query('select admitted_at from executions where id = $1', [id]);
    expect(rows).toEqual([{ admitted_at: null }]);
    await expect(admit(orgId)).rejects.toThrow(/there is no execution/);
  });

  test('a cooldown that is longer than an hour holds, on that target alone', async () => {
    await create({ runbook: 'careful', admitted: 100, finished: 90, status: 'succeeded' });
    expect(await ask({ runbook: 'careful' })).toMatch(/^cooldown: 2 h of runbook careful/);
    expect(await ask({ runbook: 'careful', target: 'db-2' })).toBeNull();
    expect(await ask({ runbook: 'restart' })).toBeNull();
  });

  test('a cooldown does not hold up the retry of the execution that it follows', async () => {
    const failed = await create({ runbook: 'careful', admitted: 2, finished: 1, status: 'failed' });
    expect(await ask({ runbook: 'careful', retryOf: failed })).toBeNull();
  });

  test('what never acted counts for nothing', async () => {
    for (let n = 0; n < 12; n++) await create({ runbook: 'careful', finished: 1, status: 'cancelled' });
    expect(await ask({ runbook: 'careful' })).toBeNull();
  });

  test('actions of the last hour are counted by organization and runbook', async () => {
    for (const target of ['a', 'b', 'c']) {
      await create({ runbook: 'careful', target, admitted: 30, finished: 29, status: 'succeeded' });
    }
    expect(await ask({ runbook: 'careful', target: 'd' })).toMatch(
      /^actions per hour: 3 of 3 of runbook careful/,
    );
    for (let n = 0; n < 7; n++) await create({ target: `host-${n}`, admitted: 50 });
    expect(await ask({ target: 'd' })).toMatch(
      /^actions per hour: 10 of 10 in the organization; possible again at /,
    );
  });

  test('actions of a team and of a target are counted where a rule says so', async () => {
    const rules = { maxPerHour: 1 };
    await write((tx) => putSafetyRules(tx, { orgId, scope: 'team', name: 'red', rules, actor }));
    await write((tx) => putSafetyRules(tx, { orgId, scope: 'target', name: 'db-*', rules, actor }));
    await create({ target: 'db-1', teamId: red, admitted: 10 });
    expect(await ask({ target: 'web', teamId: red })).toMatch(/1 of 1 of team red/);
    expect(await ask({ target: 'db-1' })).toMatch(/1 of 1 on target db-1/);
    expect(await ask({ target: 'db-2' })).toBeNull();
  });

  test('environments hold for automation, not for people', async () => {
    const automatic = { runbook: 'careful', requestedBy: 'Holdfast' };
    expect(await ask({ ...automatic, environment: 'production' })).toMatch(/^environments: /);
    expect(await ask({ ...automatic, environment: 'staging' })).toBeNull();
    expect(await ask({ runbook: 'careful', environment: 'production' })).toBeNull();
  });

  test('rules of another organization are not asked', async () => {
    const other = await database.owner.query(
      `insert into organizations (slug, name) values ('other', 'Other') returning org_id`,
    );
    const otherOrg = other.rows[0].org_id;
    await database.db.write({ orgId: otherOrg }, async (tx) => {
      await putSafetyRules(tx, {
        orgId: otherOrg,
        scope: 'organization',
        name: '',
        rules: { maxPerHour: 0 },
        actor,
      });
      await stopAutomation(tx, { orgId: otherOrg, teamId: null, actor, reason: 'x' });
    });
    expect(await ask()).toBeNull();
  });
});

describe('the kill switch', () => {
  const stop = (teamId: string | null, reason = 'failing over') =>
    write((tx) => stopAutomation(tx, { orgId, teamId, actor, reason }));
  const resume = (teamId: string | null) => write((tx) => resumeAutomation(tx, { orgId, teamId, actor }));

  test('refuses from its commit on until it is resumed, and keeps the first reason', async () => {
    expect(await stop(null)).toBe(true);
    expect(await stop(null, 'again')).toBe(false);
    expect(await ask()).toMatch(
      /^kill switch: all automation is stopped since .* by ana@example.com \(failing over\)/,
    );
    expect(await write(listStops)).toMatchObject([{ team: null, reason: 'failing over', stoppedBy: actor }]);
    expect(await resume(null)).toBe(true);
    expect(await resume(null)).toBe(false);
    expect(await ask()).toBeNull();
    expect(await stop(null, 'once more')).toBe(true);
    expect(await audited()).toEqual([
      'automation.stopped automation:organization',
      'automation.resumed automation:organization',
      'automation.stopped automation:organization',
    ]);
  });

  test('of a team leaves the others alone', async () => {
    await stop(red);
    expect(await ask({ teamId: red })).toMatch(/team red is stopped/);
    expect(await ask()).toBeNull();
  });

  test('asks about what is running where it stops, until a person has said that it goes on', async () => {
    const ours = await create({ teamId: red, admitted: 5, status: 'running' });
    const theirs = await create({ admitted: 4, status: 'running', target: 'db-2' });
    await create({ teamId: red });
    await create({ teamId: red, admitted: 9, finished: 8, status: 'succeeded' });
    const answers = async () =>
      (await write(listRunningExecutions)).map(({ id, stopped, goesOn }) => ({ id, stopped, goesOn }));
    const let_ = (executionId: string) => write((tx) => letGoOn(tx, { orgId, executionId, actor }));
    expect(await let_(ours)).toBe(false);
    await stop(red);
    expect(await answers()).toEqual([
      { id: ours, stopped: true, goesOn: false },
      { id: theirs, stopped: false, goesOn: false },
    ]);
    expect(await let_(ours)).toBe(true);
    expect(await let_(ours)).toBe(false);
    expect(await let_(theirs)).toBe(false);
    expect((await answers())[0]).toEqual({ id: ours, stopped: true, goesOn: true });
    await stop(null);
    expect((await answers())[0]).toMatchObject({ goesOn: false });
    expect(await audited()).toContain(`automation.let-go-on execution:${ours}`);
  });
});

describe('the circuit breaker', () => {
  const failing = (ago: number, target = 'checkout') =>
    create({ target, admitted: ago + 1, finished: ago, status: 'rolled_back' });

  test('opens after three failures in a row and stays open until a person resets it', async () => {
    await failing(300);
    await failing(290);
    expect(await ask()).toBeNull();
    const last = await failing(280);
    await create({ admitted: 200, finished: 199, status: 'cancelled' });
    expect(await ask()).toMatch(
      /^circuit breaker: runbook restart failed 3 times in a row on target checkout/,
    );
    expect(await ask({ target: 'db-2' })).toBeNull();
    expect(await write(listOpenCircuits)).toMatchObject([
      { runbook: 'restart', target: 'checkout', failures: [{ executionId: last }, {}, {}] },
    ]);
    const reset = () =>
      write((tx) =>
        resetCircuit(tx, { orgId, runbook: 'restart', target: 'checkout', actor, reason: 'disk replaced' }),
      );
    expect(await reset()).toBe(true);
    expect(await reset()).toBe(false);
    expect(await ask()).toBeNull();
    expect(await write(listOpenCircuits)).toEqual([]);
    expect(await audited()).toEqual(['circuit-breaker.reset runbook:restart']);
  });

  test('stays closed when a success lies between', async () => {
    for (const ago of [50, 40]) await failing(ago);
    await create({ admitted: 31, finished: 30, status: 'succeeded' });
    await failing(20);
    expect(
      await write((tx) => getOpenCircuit(tx, { runbook: 'restart', target: 'checkout' })),
    ).toBeUndefined();
    expect(await ask()).toBeNull();
  });

  test('is listed for each runbook and target, the newest failure first', async () => {
    for (const target of ['a', 'b', 'c']) {
      for (const ago of [30, 20, target === 'b' ? 5 : 10]) await failing(ago, target);
    }
    await create({ target: 'c', admitted: 3, finished: 2, status: 'succeeded' });
    expect((await write(listOpenCircuits)).map(({ target }) => target)).toEqual(['b', 'a']);
  });
});

describe('maintenance windows', () => {
  const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
  const window = (given: object = {}) => ({
    target: 'check*',
    team: null,
    startsAt: at(-10),
    endsAt: at(50),
    reason: 'disk swap',
    ...given,
  });
  const make = (id: string, given: object = {}) =>
    write((tx) => createMaintenanceWindow(tx, { orgId, id, window: window(given), actor }));
  const id = '11111111-1111-4111-8111-111111111111';

  test('keep automation away while they last', async () => {
    await make(id);
    expect(await ask({ requestedBy: 'Holdfast' })).toMatch(
      /^maintenance: checkout is being worked on \(disk swap\)/,
    );
    expect(await ask()).toBeNull();
    expect(await write((tx) => deleteMaintenanceWindow(tx, { orgId, id, actor }))).toBe(true);
    expect(await ask({ requestedBy: 'Holdfast' })).toBeNull();
  });

  test('that come back every week keep it away in their hours, until these end', async () => {
    const hour = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    const at89Days = at(89 * 24 * 60);
    const others = '22222222-2222-4222-8222-222222222222';
    const weekly = { timeZone: 'UTC', days, from: hour(-60), to: hour(60) };
    await make(others, { endsAt: at89Days, weekly: { ...weekly, from: hour(120), to: hour(180) } });
    expect(await ask({ requestedBy: 'Holdfast' })).toBeNull();
    await make(id, { endsAt: at89Days, weekly });
    const refused = await admit(await create({ requestedBy: 'Holdfast' }));
    expect(refused?.rule).toBe('maintenance');
    expect(refused?.until?.slice(11, 16)).toBe(weekly.to);
    expect(Date.parse(refused?.until ?? '')).toBeLessThanOrEqual(Date.now() + 60 * 60_000);
  });

  test('of a team are for that team, and those that are over are not listed', async () => {
    await make(id, { team: 'red' });
    expect(await ask({ requestedBy: 'Holdfast' })).toBeNull();
    expect(await ask({ requestedBy: 'Holdfast', teamId: red })).toMatch(/^maintenance/);
    const listed = (now: string) => write((tx) => listMaintenanceWindows(tx, new Date(now)));
    expect(await listed(at(0))).toMatchObject([{ id, team: { slug: 'red' } }]);
    expect(await listed(at(60))).toEqual([]);
    await expect(make(id, { team: 'nobody' })).rejects.toThrow(/there is no team 'nobody'/);
  });
});

test('rule sets are kept by scope and name, with an audit entry for each change', async () => {
  const put = (scope: 'organization' | 'team' | 'target', name: string, maxPerHour: number) =>
    write((tx) => putSafetyRules(tx, { orgId, scope, name, rules: { maxPerHour }, actor }));
  await put('target', 'db-*', 1);
  await put('organization', '', 20);
  await put('organization', '', 30);
  await expect(put('team', 'nobody', 1)).rejects.toThrow(/there is no team/);
  expect(await write(listSafetyRules)).toMatchObject([
    { scope: 'organization', name: '', rules: { maxPerHour: 30 }, updatedBy: actor },
    { scope: 'target', name: 'db-*' },
  ]);
  const remove = () => write((tx) => deleteSafetyRules(tx, { orgId, scope: 'target', name: 'db-*', actor }));
  expect(await remove()).toBe(true);
  expect(await remove()).toBe(false);
  expect(await audited()).toEqual([
    'safety-rules.put safety-rules:target:db-*',
    'safety-rules.put safety-rules:organization',
    'safety-rules.put safety-rules:organization',
    'safety-rules.deleted safety-rules:target:db-*',
  ]);
});
