import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const good = 'sum(rate(http_requests_total{code!~"5.."}[$window]))';
const checkout = {
  service: 'checkout',
  objectivePercent: 99.9,
  windowDays: 30,
  indicator: { type: 'ratio', good, total: 'sum(rate(http_requests_total[$window]))' },
};
const put = (body: object, token = api.tokens.admin) =>
  api.ask('PUT', '/api/v1/slos/checkout', { token, body });

test('an objective is put, read back and put again, and has a state before it is measured', async () => {
  expect((await put(checkout)).status).toBe(200);
  const read = await api.ask('GET', '/api/v1/slos/checkout', { token: api.tokens.viewer });
  expect(read.body).toMatchObject({ name: 'checkout', team: null, ...checkout });
  expect(api.measuringBegun).toEqual([api.orgId]);
  expect((await put(read.body)).status).toBe(200);
  const { body } = await api.ask('GET', '/api/v1/slos/checkout/state', { token: api.tokens.viewer });
  expect(body).toMatchObject({ measuredAt: null, budgetLeft: null, alerts: [], points: [] });
});

test('one that is saved while Temporal is away says when it is measured', async () => {
  api.temporalIsAway.now = true;
  const { status, body } = await put(checkout);
  api.temporalIsAway.now = false;
  expect(status).toBe(200);
  expect(body.notice).toContain('Temporal does not answer just now');
  expect((await put(checkout)).body).not.toHaveProperty('notice');
});

test('what is wrong is named with its remedy', async () => {
  const { status, body } = await put({ ...checkout, indicator: { ...checkout.indicator, good: 'up' } });
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([
    { field: 'indicator.good', message: expect.stringMatching(/\[\$window\]/) },
  ]);
});

test('an objective as edited is tried by a worker', async () => {
  const { status, body } = await api.ask('POST', '/api/v1/slos/preview', {
    token: api.tokens.admin,
    body: checkout,
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ budgetLeft: null });
  expect(api.messages.sent.at(-1)).toMatchObject({ method: 'previewSlo', args: [api.orgId, checkout] });
});

test('a query that is no PromQL is refused on save', async () => {
  const { status, body } = await put({ ...checkout, indicator: { ...checkout.indicator, good: `${good})` } });
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ field: 'indicator.good', message: "it is no PromQL: look at ')'" }]);
});

test('of a team it belongs to that team, and one that there is not is refused', async () => {
  const { owner } = api.fixture;
  await owner.query(`insert into teams (org_id, slug, name) values ($1, 'pay', 'Pay')`, [api.orgId]);
  expect((await put({ ...checkout, team: 'pay' })).body.team).toBe('pay');
  const { status, body } = await put({ ...checkout, team: 'gone' });
  expect(status).toBe(400);
  expect(body.errors).toEqual([{ field: 'team', message: "there is no team 'gone'" }]);
  expect((await put(checkout)).body.team).toBeNull();
});

test('a viewer changes nothing', async () => {
  expect((await put(checkout, api.tokens.viewer)).status).toBe(403);
});
