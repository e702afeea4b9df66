import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { ClosedError, RefusedError } from '../../workflows/messages-client.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
  for (const number of [1, 2, 3]) {
    await api.fixture.owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank, recorded_seq)
       values ($1, $2, 'Down', 'high', 1, $3)`,
      [api.orgId, number, 40 + number],
    );
  }
});
afterAll(() => api.close());
beforeEach(() => {
  api.messages.sent.length = 0;
});

const post = (path: string, body: object, token = api.tokens.operator) =>
  api.ask('POST', `/api/v1/incidents/${path}`, { token, body });
const actor = { name: 'operator@example.com', via: 'api' };

test('a merge is a message to the incident that ends, as of what is recorded of it', async () => {
  expect(await post('2/merge', { into: 1 })).toMatchObject({ status: 200, body: { number: 2, into: 1 } });
  expect(api.messages.sent).toMatchObject([
    { method: 'regroup', args: [api.orgId, 2, { actor, asOf: 42, alertIds: null, into: 1 }] },
  ]);
});

test('a split names its alerts, each once, and goes into a new incident where no other is named', async () => {
  expect(await post('2/split', { alertIds: [8, 9, 8] })).toMatchObject({ status: 200 });
  expect(api.messages.sent[0]?.args[2]).toMatchObject({ alertIds: [8, 9], into: null });
  await post('2/split', { alertIds: [8], into: 3 });
  expect(api.messages.sent[1]?.args[2]).toMatchObject({ into: 3 });
});

test('a group goes into the incident that was opened first, and one that is refused keeps no other back', async () => {
  api.messages.next(new RefusedError('resolved already'));
  expect(await post('group', { numbers: [3, 1, 2] })).toMatchObject({
    status: 200,
    body: {
      into: 1,
      items: [
        { number: 2, outcome: 'refused', reason: 'resolved already' },
        { number: 3, outcome: 'merged', reason: null },
      ],
    },
  });
});

test.each([
  ['into itself', '2/merge', { into: 2 }, 400],
  ['into none that there is', '2/merge', { into: 77 }, 404],
  ['without alerts', '2/split', { alertIds: [] }, 400],
  ['a group of one', 'group', { numbers: [2] }, 400],
])('refused before anything is sent: %s', async (_, path, body, status) => {
  expect((await post(path, body)).status).toBe(status);
  expect(api.messages.sent).toEqual([]);
});

test('a viewer moves nothing, and a closed incident says that it is', async () => {
  expect((await post('2/merge', { into: 1 }, api.tokens.viewer)).status).toBe(403);
  api.messages.next(new ClosedError('gone'));
  expect(await post('2/merge', { into: 1 })).toMatchObject({
    status: 409,
    body: { detail: 'incident 2 is closed' },
  });
});

test('what was merged is followed where the person may act, and nowhere else', async () => {
  const { owner } = api.fixture;
  const teamOf = async (slug: string) =>
    (
      await owner.query<{ id: string }>(
        'insert into teams (org_id, slug, name) values ($1, $2, $2) returning id',
        [api.orgId, slug],
      )
    ).rows[0]!.id;
  const [own, other] = [await teamOf('own'), await teamOf('other')];
  await owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, team_id, merged_into)
     select $1, number, 'Down', 'high', 1, team::uuid, merged from (values
       (11, $2, null::integer), (12, $2, 13), (13, $2, 14), (14, $3, null), (15, $2, 11)) as v(number, team, merged)`,
    [api.orgId, own, other],
  );
  const { token } = await api.addPerson('own@example.com', 'operator', own);
  for (const path of ['11/merge', '11/split']) {
    expect(
      await post(path, { into: 12, alertIds: path === '11/split' ? [8] : undefined }, token),
    ).toMatchObject({
      status: 404,
    });
  }
  expect(api.messages.sent).toEqual([]);
  expect((await post('2/merge', { into: 15 }, token)).status).toBe(200);
  expect(api.messages.sent[0]?.args[2]).toMatchObject({ into: 11 });
  expect((await post('11/split', { into: 12, alertIds: [8] })).status).toBe(200);
  expect(api.messages.sent[1]?.args[2]).toMatchObject({ into: 14 });
});
