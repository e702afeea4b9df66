import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { putOnCallSchedule } from '../../db/oncall.ts';
import { onCallSchedule } from '../../domain/oncall/schedule.ts';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
  await api.addPerson('ana@example.com', 'operator');
  await api.addPerson('ben@example.com', 'operator');
});
afterAll(() => api?.close());
afterEach(async () => {
  api.calendarsRead.length = 0;
  await api.fixture.owner.query(
    'delete from notification_rules; delete from on_call_schedules; delete from audit_log',
  );
});

const weekly = {
  timeZone: 'Europe/Berlin',
  rotations: [
    {
      name: 'primary',
      participants: [['ana@example.com'], ['ben@example.com']],
      turn: { unit: 'week' },
      startsAt: '2020-06-01T09:00',
    },
  ],
};
const path = '/api/v1/on-call-schedules/payments';

async function put(body: object = weekly, at = path) {
  return await api.ask('PUT', at, { token: api.tokens.admin, body });
}
const get = (at: string, token = api.tokens.viewer) => api.ask('GET', at, { token });

describe('a schedule of a team', () => {
  it('is for Admins of that team, and they have no other', async () => {
    const { owner } = api.fixture;
    const teams = await owner.query(
      `insert into teams (org_id, slug, name) values ($1, 'red', 'Red'), ($1, 'blue', 'Blue') returning id`,
      [api.orgId],
    );
    const [red, blue] = teams.rows.map(({ id }) => id);
    const admin = (await api.addPerson('red-admin@example.com', 'admin', red)).token;
    const operator = (await api.addPerson('red-operator@example.com', 'operator', red)).token;
    const other = (await api.addPerson('blue-admin@example.com', 'admin', blue)).token;
    const ask = async (method: 'PUT' | 'DELETE', token: string, body?: object, at = path) =>
      (await api.ask(method, at, { token, ...(body && { body }) })).status;
    const ofRed = { ...weekly, team: 'red' };
    expect(await ask('PUT', operator, ofRed)).toBe(403);
    expect(await ask('PUT', admin, ofRed)).toBe(200);
    expect(await ask('PUT', admin, { ...ofRed, timeZone: 'UTC' })).toBe(200);
    expect((await get(path, admin)).body.timeZone).toBe('UTC');
    // neither to everybody nor to others
    expect(await ask('PUT', admin, weekly)).toBe(403);
    expect(await ask('PUT', admin, { ...weekly, team: 'blue' })).toBe(403);
    expect(await ask('PUT', admin, { ...weekly, team: 'green' })).toBe(400);
    // a team's name is not seen from another
    expect(await ask('PUT', other, { ...weekly, team: 'blue' })).toBe(400);
    expect(await ask('DELETE', other)).toBe(404);
    expect(await ask('DELETE', operator)).toBe(403);
    // what is everybody's is the organization's Admins'
    const shared = '/api/v1/on-call-schedules/shared';
    expect((await put(weekly, shared)).status).toBe(200);
    expect(await ask('PUT', admin, ofRed, shared)).toBe(403);
    expect(await ask('DELETE', admin, undefined, shared)).toBe(403);
    expect((await get(shared)).body.team).toBeNull();
    expect(await ask('PUT', api.tokens.admin, { ...weekly, team: 'blue' })).toBe(200);
    expect(await ask('DELETE', other)).toBe(204);
  });
});

describe('a schedule', () => {
  it('is written and read as named configuration, with its defaults', async () => {
    expect((await put()).status).toBe(200);
    const { body } = await get(path);
    expect(body).toMatchObject({ name: 'payments', team: null, timeZone: 'Europe/Berlin' });
    expect(body.rotations[0]).toMatchObject({ priority: 0, turn: { every: 1, unit: 'week' }, shadow: false });
    // what was read can be put again
    expect((await put(body)).status).toBe(200);
    const actions = await api.fixture.owner.query(
      `select action from audit_log where subject = 'on-call-schedule:payments' order by id`,
    );
    expect(actions.rows.map(({ action }) => action)).toEqual([
      'on-call-schedule.created',
      'on-call-schedule.changed',
    ]);
  });

  it.each([
    [
      { participants: [['ana@example.com'], ['nobody@example.com']] },
      'rotations.0.participants.1.0',
      /no user 'nobody@example.com'/,
    ],
    [{ participants: [] }, 'rotations.0.participants', /name who takes turns/],
    [{ startsAt: '2026-06-01 9:00' }, 'rotations.0.startsAt', /write a local date and time/],
    [{ endsAt: '2020-05-01T09:00' }, 'rotations.0.endsAt', /must lie after the start/],
    [{ timeZone: '+02:00' }, 'rotations.0.timeZone', /IANA/],
  ])('with %j is refused at the field', async (change, field, message) => {
    const answer = await put({ ...weekly, rotations: [{ ...weekly.rotations[0], ...change }] });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([{ field, message: expect.stringMatching(message) }]);
  });

  it('with more shifts than anybody can follow is refused', async () => {
    const hourly = { ...weekly.rotations[0], turn: { unit: 'hour' } };
    const rotations = Array.from({ length: 9 }, (_, index) => ({ ...hourly, name: `r${index}` }));
    expect((await put({ ...weekly, rotations: rotations.slice(1) })).status).toBe(200);
    const { status, body } = await put({ ...weekly, rotations });
    expect(status).toBe(400);
    expect(body.errors).toEqual([
      { field: 'rotations', message: expect.stringContaining('216 shifts a day') },
    ]);
  });

  it('of a team is seen by the team, and one that there is not is refused', async () => {
    await api.fixture.owner.query(
      `insert into teams (org_id, slug, name) values ($1, 'pay', 'Pay'), ($1, 'web', 'Web')
       on conflict do nothing`,
      [api.orgId],
    );
    const { rows } = await api.fixture.owner.query('select id, slug from teams');
    const idOf = (slug: string) => rows.find((row) => row.slug === slug).id;
    const ours = await api.addPerson('pay@example.com', 'operator', idOf('pay'));
    const others = await api.addPerson('web@example.com', 'operator', idOf('web'));

    expect((await put({ ...weekly, team: 'pay' })).body.team).toBe('pay');
    expect((await get(path, ours.token)).status).toBe(200);
    expect((await get(path, others.token)).status).toBe(404);
    expect((await get('/api/v1/on-call', others.token)).body.items).toEqual([]);
    // whoever may not see it takes nothing of its place
    const { orgId } = api;
    const definition = { ...onCallSchedule.parse(weekly), team: 'web' };
    const theirs = { orgId, teamIds: [idOf('web')] };
    await expect(
      api.fixture.db.write(theirs, (tx) =>
        putOnCallSchedule(tx, { orgId, name: 'payments', definition, actor: 'web@example.com' }),
      ),
    ).rejects.toMatchObject({ name: 'UnknownReferenceError', field: 'name' });
    const { body } = await put({ ...weekly, team: 'gone' });
    expect(body.errors).toEqual([{ field: 'team', message: "there is no team 'gone'" }]);
  });

  it('that a policy or a rule names cannot be deleted', async () => {
    await put();
    await put(weekly, '/api/v1/on-call-schedules/other');
    await api.fixture.owner.query(
      `insert into notification_rules (org_id, name, position, definition)
       values ($1, 'tell', 1, '{"targets": [{"type": "schedule", "name": "payments"}]}')`,
      [api.orgId],
    );
    const refused = await api.ask('DELETE', path, { token: api.tokens.admin });
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toMatch(/the notification rule 'tell': take it out there first/);
    const other = await api.ask('DELETE', '/api/v1/on-call-schedules/other', { token: api.tokens.admin });
    expect(other.status).toBe(204);
  });

  it('shows the addresses of its calendars to those who write them alone', async () => {
    const url = 'https://calendar.example.com/ical/ana/private-2d1f/basic.ics';
    const read = { ...weekly.rotations[0], name: 'theirs', participants: [], calendar: { url } };
    expect((await put({ ...weekly, rotations: [read] })).body.rotations[0].calendar).toEqual({ url });
    const { body } = await get(path, api.tokens.operator);
    expect(body.rotations[0].calendar).toEqual({ url: 'https://calendar.example.com/…' });
    expect(JSON.stringify(await get('/api/v1/on-call-schedules'))).not.toContain('private');
    expect(JSON.stringify(await get(`${path}/health`, api.tokens.admin))).not.toContain('private');
    expect((await get(path, api.tokens.admin)).body.rotations[0].calendar).toEqual({ url });
  });

  it('says in its health who was disabled, and which calendars were not read yet', async () => {
    const calendar = { url: 'https://calendar.example.com/team.ics' };
    await put({
      ...weekly,
      rotations: [
        ...weekly.rotations,
        { ...weekly.rotations[0], name: 'theirs', participants: [], calendar },
      ],
    });
    await api.fixture.owner.query(`update users set disabled_at = now() where email = 'ben@example.com'`);
    const { body } = await get(`${path}/health`);
    await api.fixture.owner.query('update users set disabled_at = null');
    expect(body).toEqual({
      calendars: [
        {
          rotation: 'theirs',
          url: 'https://calendar.example.com/…',
          checkedAt: null,
          readAt: null,
          error: null,
          shifts: 0,
          unmatched: [],
        },
      ],
      disabled: ['ben@example.com'],
    });
    expect((await get('/api/v1/on-call-schedules/none/health')).status).toBe(404);

    const asked = await api.ask('POST', `${path}/calendars/read`, { token: api.tokens.operator });
    expect(asked.status).toBe(202);
    // once when it was put, once when somebody asked
    expect(api.calendarsRead).toEqual([api.orgId, api.orgId]);
  });
});

describe('its shifts', () => {
  it('are listed with gaps and overlaps', async () => {
    await put({
      timeZone: 'UTC',
      rotations: [
        { ...weekly.rotations[0], startsAt: '2026-06-02T00:00' },
        {
          ...weekly.rotations[0],
          name: 'secondary',
          participants: [['ben@example.com']],
          startsAt: '2026-06-05T00:00',
        },
      ],
    });
    const { body } = await get(`${path}/shifts?from=2026-06-01T00:00:00Z&to=2026-06-08T00:00:00Z`);
    expect(body.shifts).toEqual([
      {
        person: 'ana@example.com',
        rotation: 'primary',
        from: '2026-06-02T00:00:00.000Z',
        to: '2026-06-08T00:00:00.000Z',
        override: null,
        shadow: false,
      },
      expect.objectContaining({ person: 'ben@example.com', rotation: 'secondary' }),
    ]);
    expect(body.gaps).toEqual([{ from: '2026-06-01T00:00:00.000Z', to: '2026-06-02T00:00:00.000Z' }]);
    expect(body.overlaps).toMatchObject([
      { from: '2026-06-05T00:00:00.000Z', rotations: ['primary', 'secondary'] },
    ]);
  });

  it.each([
    ['from=2026-06-01T00:00:00Z&to=2026-06-01T00:00:00Z', /after `from`/],
    ['from=2026-06-01T00:00:00Z&to=2028-06-01T00:00:00Z', /at most 400 days/],
    ['to=tomorrow', /write a time such as/],
  ])('for %s are refused', async (query, message) => {
    await put();
    const { status, body } = await get(`${path}/shifts?${query}`);
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ field: 'to', message: expect.stringMatching(message) }]);
  });
});

describe('an override', () => {
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const take = (body: object, token = api.tokens.operator) =>
    api.ask('POST', `${path}/overrides`, { token, body });

  it('puts whoever asks on call, and gives the shift back when it goes', async () => {
    await put();
    const times = { startsAt: inDays(-1), endsAt: inDays(1), reason: 'swap' };
    const made = await take(times);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ person: 'operator@example.com', insteadOf: null, reason: 'swap' });
    const now = async () => (await get('/api/v1/on-call')).body.items[0];
    expect((await now()).shifts).toMatchObject([
      { person: 'operator@example.com', rotation: null, override: made.body.id, to: times.endsAt },
    ]);
    expect((await now()).until).toBe(times.endsAt);
    expect((await get(`${path}/overrides`)).body.items).toHaveLength(1);

    const end = await api.ask('DELETE', `${path}/overrides/${made.body.id}`, { token: api.tokens.operator });
    expect(end.status).toBe(204);
    expect((await now()).shifts).toMatchObject([{ rotation: 'primary', override: null }]);
    // the past stays as it was
    const yesterday = await get(`/api/v1/on-call?at=${inDays(-0.5)}`);
    expect(yesterday.body.items[0].shifts).toMatchObject([{ person: 'operator@example.com' }]);
    const { rows } = await api.fixture.owner.query(
      `select action from audit_log where action like 'on-call-override%' order by id`,
    );
    expect(rows.map(({ action }) => action)).toEqual(['on-call-override.created', 'on-call-override.ended']);
  });

  it('of one person leaves who comes after them', async () => {
    await put();
    await take({
      person: 'ben@example.com',
      insteadOf: 'ANA@example.com',
      startsAt: inDays(1),
      endsAt: inDays(60),
    });
    const { body } = await get(`${path}/shifts?from=${inDays(2)}&to=${inDays(30)}`);
    expect(new Set(body.shifts.map(({ person }: { person: string }) => person))).toEqual(
      new Set(['ben@example.com']),
    );
  });

  it.each([
    [{ startsAt: 1, endsAt: 0 }, 'endsAt', /after the start/],
    [{ startsAt: -3, endsAt: -2 }, 'endsAt', /over already/],
    [{ startsAt: 0, endsAt: 400 }, 'endsAt', /366 days at most/],
    [{ startsAt: 0, endsAt: 1, person: 'x@example.com' }, 'person', /no user/],
    [{ startsAt: 0, endsAt: 1, insteadOf: 'operator@example.com' }, 'insteadOf', /name somebody else/],
  ])('%j is refused', async ({ startsAt, endsAt, ...rest }, field, message) => {
    await put();
    const { status, body } = await take({ ...rest, startsAt: inDays(startsAt), endsAt: inDays(endsAt) });
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ field, message: expect.stringMatching(message) }]);
  });

  it('needs an Operator, and a schedule', async () => {
    const times = { startsAt: inDays(0), endsAt: inDays(1) };
    expect((await take(times)).status).toBe(404);
    await put();
    expect((await take(times, api.tokens.viewer)).status).toBe(403);
    const unknown = `${path}/overrides/00000000-0000-4000-8000-000000000000`;
    expect((await api.ask('DELETE', unknown, { token: api.tokens.operator })).status).toBe(404);
  });
});
