import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { type ExecutionSeed, seedExecution, seedRunbookVersion } from '../../test/harness/executions.ts';
import { maintenancePreviewShown } from './schema.ts';

let api: TestApi;
let token: string;
let red: string;
beforeAll(async () => {
  api = await createTestApi();
  token = api.tokens.operator;
  const { owner } = api.fixture;
  const team = await owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
    [api.orgId],
  );
  red = team.rows[0].id;
  await seedRunbookVersion({ owner, orgId: api.orgId }, 'restart');
  const runbooks: [string, string, string | undefined, string | null][] = [
    ['vacuum', 'auto', 'db-1', null],
    ['reindex', 'semi_auto', 'db-2', red],
    ['failover', 'manual', 'db-3', null],
    ['restart', 'auto', undefined, null],
    ['grow-disk', 'auto', 'db-{{host}}', red],
    ['web', 'auto', 'web-1', null],
  ];
  for (const [name, mode, target, team] of runbooks) {
    await owner.query(
      `insert into runbooks (org_id, name, team_id, version, latest_version, file, source, definition)
       values ($1, $2, $3, 1, 1, $2, '', $4)`,
      [api.orgId, name, team, JSON.stringify({ name, execution: { mode, target }, inputs: {}, steps: [] })],
    );
  }
});
afterAll(() => api.close());
beforeEach(() => api.fixture.owner.query('delete from executions'));

const base = '/api/v1/maintenance-windows';
const hours = (n: number) => new Date(Date.now() + n * 3_600_000).toISOString();
const body = (given: object = {}) => ({
  target: 'db-*',
  startsAt: hours(24),
  endsAt: hours(26),
  reason: 'new disks',
  ...given,
});
const dayMinutes = 24 * 60;
/** Of automation, on db-1, a day ago. */
const ran = (given: ExecutionSeed = {}) =>
  seedExecution(
    { owner: api.fixture.owner, orgId: api.orgId },
    {
      requestedBy: 'Holdfast',
      target: 'db-1',
      status: 'succeeded',
      admitted: dayMinutes,
      finished: 1,
      ...given,
    },
  );
const preview = (given: object = {}, as = token) =>
  api.ask('POST', `${base}/preview`, { token: as, body: body(given) });

test('a preview says what it would have held back, and which runbooks it would hold back now', async () => {
  await ran();
  await ran({ admitted: 2 * dayMinutes });
  await ran({ target: 'web-1' });
  await ran({ requestedBy: 'ana@example.com' });
  await ran({ teamId: red, target: 'db-2' });
  await ran({ admitted: 31 * dayMinutes });
  // refused before it acted
  await seedExecution(
    { owner: api.fixture.owner, orgId: api.orgId },
    { requestedBy: 'Holdfast', target: 'db-1', status: 'cancelled', finished: 1 },
  );
  const tried = await preview();
  expect(tried).toMatchObject({
    status: 200,
    body: {
      cut: false,
      executions: 5,
      heldBack: 3,
      byPeople: 1,
      kinds: [
        { runbook: 'restart', target: 'db-1', heldBack: 2 },
        { runbook: 'restart', target: 'db-2', heldBack: 1 },
      ],
      now: {
        matching: 2,
        runbooks: [
          { name: 'reindex', target: 'db-2' },
          { name: 'vacuum', target: 'db-1' },
        ],
        undecided: 2,
      },
    },
  });
  maintenancePreviewShown.parse(tried.body);
  expect((await preview({ team: 'red' })).body).toMatchObject({
    executions: 5,
    heldBack: 1,
    now: { runbooks: [{ name: 'reindex' }], undecided: 3 },
  });
});

const nights = { timeZone: 'Europe/Berlin', days: ['sat', 'sun'], from: '22:00', to: '06:00' };

test('one that comes back every week is kept as it was written, and says whether it is in force', async () => {
  const made = await api.ask('POST', base, {
    token,
    body: body({ startsAt: hours(-1), endsAt: hours(89 * 24), weekly: nights }),
  });
  expect(made).toMatchObject({ status: 201, body: { weekly: nights } });
  expect(['in force', 'out of hours']).toContain(made.body.state);
  const own = `${base}/${made.body.id}`;
  const put = (given: object) => api.ask('PUT', own, { token, body: body(given) });
  expect((await put({ startsAt: hours(-1) })).body).toMatchObject({ state: 'in force' });
  expect((await put({ startsAt: hours(-1) })).body).not.toHaveProperty('weekly');
  expect((await put({ startsAt: hours(1), weekly: nights })).body).toMatchObject({
    state: 'waiting',
    weekly: nights,
  });
  expect((await api.ask('DELETE', own, { token })).status).toBe(204);
});

test.each([
  [{ endsAt: hours(92 * 24), weekly: nights }, 'endsAt'],
  [{ weekly: { ...nights, days: [] } }, 'weekly.days'],
  [{ weekly: { ...nights, timeZone: 'Mars/Base' } }, 'weekly.timeZone'],
  [{ weekly: { ...nights, from: '2' } }, 'weekly.from'],
])('what cannot come back every week is refused with its field: %j', async (given, field) => {
  const refused = await api.ask('POST', base, { token, body: body(given) });
  expect(refused.status).toBe(400);
  expect(refused.body.errors[0].field).toBe(field);
});

test('a preview of one that comes back every week counts its hours', async () => {
  for (let hour = 1; hour <= 48; hour++) await ran();
  await api.fixture.owner.query(
    `update executions e set created_at = past.at, admitted_at = past.at
     from (select id, date_trunc('hour', now()) - row_number() over () * interval '1 hour' as at from executions) past
     where past.id = e.id`,
  );
  const everyDay = {
    timeZone: 'UTC',
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    from: '02:00',
    to: '04:00',
  };
  expect((await preview({ weekly: everyDay })).body).toMatchObject({ executions: 48, heldBack: 4 });
});

test('a preview makes nothing, and asks for the role and for a window that could be made', async () => {
  expect((await preview({}, api.tokens.viewer)).status).toBe(403);
  expect((await preview({ team: 'none' })).body.errors[0].field).toBe('team');
  expect((await preview({ endsAt: undefined })).body.errors[0].field).toBe('endsAt');
  expect((await preview()).status).toBe(200);
  expect((await api.ask('GET', base, { token })).body.items).toEqual([]);
});

test("a role in one team keeps that team's windows, and not everybody's", async () => {
  const { token: limited } = await api.addPerson('ana@example.com', 'operator', red);
  const missing = {
    status: 403,
    body: { detail: expect.stringContaining('needs the role operator in the whole organization') },
  };
  const ask = (method: string, path: string, given?: object, as = limited) =>
    api.ask(method, path, { token: as, ...(given && { body: body(given) }) });
  expect(await ask('POST', base, {})).toMatchObject(missing);
  expect(await preview({}, limited)).toMatchObject(missing);
  const shared = await ask('POST', base, {}, token);
  expect(shared.status).toBe(201);
  const path = `${base}/${shared.body.id}`;
  expect(await ask('PUT', path, { team: 'red' })).toMatchObject(missing);
  expect(await ask('DELETE', path)).toMatchObject(missing);
  expect((await ask('GET', path)).body).toEqual(shared.body);

  const own = await ask('POST', base, { team: 'red' });
  expect(own.status).toBe(201);
  const ownPath = `${base}/${own.body.id}`;
  expect(await ask('PUT', ownPath, {})).toMatchObject(missing);
  expect(await ask('PUT', ownPath, { team: 'red', reason: 'two disks' })).toMatchObject({
    status: 200,
    body: { team: 'red', reason: 'two disks' },
  });
  expect((await preview({ team: 'red' }, limited)).status).toBe(200);
  expect((await ask('POST', base, { team: 'none' })).body.errors[0].field).toBe('team');
  expect((await ask('DELETE', ownPath)).status).toBe(204);
  expect((await ask('DELETE', ownPath)).status).toBe(404);
  expect((await ask('DELETE', path, undefined, token)).status).toBe(204);
});
