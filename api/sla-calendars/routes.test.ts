import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
});
afterAll(() => api.close());

const put = (path: string, body: object, token = api.tokens.admin) =>
  api.ask('PUT', `/api/v1${path}`, { token, body });
const get = (path: string) => api.ask('GET', `/api/v1${path}`, { token: api.tokens.viewer });
const remove = (path: string) => api.ask('DELETE', `/api/v1${path}`, { token: api.tokens.admin });

const workdays = [{ from: '09:00', to: '17:00' }];
const office = {
  timeZone: 'Europe/Berlin',
  hours: { mon: workdays, tue: workdays, wed: workdays, thu: workdays, fri: workdays },
  holidays: [{ from: '2026-12-24', to: '2026-12-26', name: 'Christmas' }],
};
const policy = {
  order: 5,
  acknowledgeWithin: '1h',
  resolveWithin: '8h',
  calendar: 'office',
  match: { severity: 'low' },
};

test('a calendar is put, read back and put again, and a policy goes by it until it names another', async () => {
  expect((await put('/sla-calendars/office', office)).status).toBe(200);
  const read = await get('/sla-calendars/office');
  expect(read.body).toMatchObject({ name: 'office', ...office });
  expect((await put('/sla-calendars/office', read.body)).status).toBe(200);

  expect((await put('/sla-policies/slow', policy)).body).toMatchObject({
    calendar: 'office',
    atRiskPercent: 80,
  });
  const kept = await remove('/sla-calendars/office');
  expect(kept.status).toBe(409);
  expect(kept.body.detail).toMatch(/the SLA policies slow go by this calendar/);

  await put('/sla-policies/slow', { ...policy, calendar: '24x7' });
  expect((await remove('/sla-calendars/office')).status).toBe(204);
});

test('what cannot be is refused at its field, with what to do', async () => {
  const problem = async (path: string, body: object) => (await put(path, body)).body.errors?.[0];
  expect(await problem('/sla-policies/slow', { ...policy, calendar: 'nowhere' })).toMatchObject({
    field: 'calendar',
    message: expect.stringMatching(/put it at \/api\/v1\/sla-calendars first/),
  });
  expect(await problem('/sla-calendars/24x7', office)).toMatchObject({ field: 'name' });
  expect(await problem('/sla-calendars/shut', { ...office, hours: {} })).toMatchObject({ field: 'hours' });
  await put('/sla-calendars/mondays', { timeZone: 'UTC', hours: { mon: [{ from: '09:00', to: '10:00' }] } });
  expect(
    await problem('/sla-policies/slow', { ...policy, calendar: 'mondays', resolveWithin: '3d' }),
  ).toMatchObject({
    field: 'resolveWithin',
    message: expect.stringMatching(/take more than a year/),
  });
});

test('a calendar as edited shows its coming two weeks', async () => {
  const { status, body } = await api.ask('POST', '/api/v1/sla-calendars/preview', {
    token: api.tokens.viewer,
    body: office,
  });
  expect(status).toBe(200);
  expect(body.days).toHaveLength(14);
  expect(body.days.filter((day: { open: object[] }) => day.open.length > 0).length).toBeGreaterThan(6);
});

test('only admins change calendars', async () => {
  expect((await put('/sla-calendars/office', office, api.tokens.operator)).status).toBe(403);
});
