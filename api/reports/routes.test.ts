import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
let id: string;
let oldId: string;
beforeAll(async () => {
  api = await createTestApi();
  await api.fixture.owner.query(`insert into teams (org_id, slug, name) values ($1, 'red', 'Red')`, [
    api.orgId,
  ]);
  const report = {
    policies: [{ policy: 'Critical', kind: 'resolve', met: 8, breached: 2, share: 0.8 }],
    breaches: [],
    breachTotal: 0,
    noisiest: [{ name: '=cmd()', service: null, episodes: 3, occurrences: 30, incidents: 1 }],
    pages: [],
  };
  const insert = async (key: string, data: object) => {
    const { rows } = await api.fixture.owner.query<{ id: string }>(
      `insert into reports (org_id, key, kind, period_start, period_end, subject, html, text, data, recipients, requested_by)
       values ($1, $2, 'sla', '2026-11-09', '2026-11-16', 's', '', '', $3, '{}', 'schedule') returning id`,
      [
        api.orgId,
        key,
        JSON.stringify({ kind: 'sla', sentence: '', timeZone: 'UTC', charts: [], report: data }),
      ],
    );
    return rows[0]?.id ?? '';
  };
  id = await insert('new', {
    ...report,
    services: [{ service: 'checkout', met: 8, breached: 2, share: 0.8 }],
    reasons: [{ reason: null, count: 2 }],
    course: [],
    slos: [],
  });
  // as it was stored before services, reasons and the course were counted
  oldId = await insert('old', report);
});
afterAll(() => api.close());

const get = (path: string) => api.ask('GET', `/api/v1/reports/${path}`, { token: api.tokens.viewer });

test('a report is CSV: all tables, or one alone', async () => {
  const all = await get(`${id}.csv`);
  expect(all.status).toBe(200);
  expect(all.headers.get('content-type')).toMatch(/^text\/csv/);
  expect(all.headers.get('content-disposition')).toContain(`report-${id}.csv`);
  const one = await get(`${id}.csv?table=services`);
  expect(one.body).toBe('Service,Met,Breached,Compliance\r\ncheckout,8,2,80.0 %\r\n');
  expect((await get(`${id}.csv?table=noisiest`)).body).toContain("\r\n'=cmd(),–,3,30,1\r\n");
  const missing = await get(`${id}.csv?table=nothing`);
  expect(missing.status).toBe(404);
  expect(missing.body.detail).toContain('compliance, services, reasons');
});

test('a report of before stays readable', async () => {
  expect((await get(oldId)).body).toMatchObject({ id: oldId, teamId: null, span: 'week' });
  expect((await get(`${oldId}.csv?table=compliance`)).body).toContain('Critical,resolve,8,2,80.0 %');
  expect((await get(`${oldId}.csv?table=services`)).status).toBe(404);
});

test('a report can be asked for of a month, and of a team', async () => {
  const send = (query: string) =>
    api.ask('POST', `/api/v1/reports/sla/send${query}`, { token: api.tokens.operator });
  expect((await send('?span=month&team=red')).status).toBe(202);
  expect(api.messages.sent.at(-1)).toMatchObject({
    method: 'startReport',
    args: [api.orgId, 'sla', 'operator@example.com', { span: 'month', teamId: expect.any(String) }],
  });
  expect((await send('?team=blue')).status).toBe(404);
  expect((await send('?span=year')).status).toBe(400);
});

test("another team's report is not sent on the word of a role elsewhere", async () => {
  const { rows } = await api.fixture.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'green', 'Green') returning id`,
    [api.orgId],
  );
  const { token } = await api.addPerson('green@example.com', 'operator', rows[0].id);
  const send = (slug: string) => api.ask('POST', `/api/v1/reports/sla/send?team=${slug}`, { token });
  expect((await send('red')).status).toBe(403);
  expect((await send('green')).status).toBe(202);
});
