import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';
import { seedBadNight } from '../../test/harness/bad-night.ts';
import { ClosedError, RefusedError } from '../../workflows/messages-client.ts';
import { incidentDetail } from './schema.ts';

let api: TestApi;
let changeId: number;

beforeAll(async () => {
  api = await createTestApi();
  // what a new organization begins with stands in the way of the same rows of that night
  for (const table of ['integrations', 'escalation_policies', 'sla_policies', 'runbooks']) {
    await api.fixture.owner.query(`delete from ${table} where org_id = $1`, [api.orgId]);
  }
  await seedBadNight(api.fixture.owner, api.orgId, Date.now());
  const { rows } = await api.fixture.owner.query(`select id from changes where external_id = 'seed-0'`);
  changeId = Number(rows[0].id);
});
afterAll(() => api?.close());
beforeEach(() => {
  api.messages.sent.length = 0;
});

const get = (path: string, token = api.tokens.viewer) =>
  api.ask('GET', `/api/v1/incidents${path}`, { token });
const post = (path: string, body: object, token = api.tokens.operator) =>
  api.ask('POST', `/api/v1/incidents${path}`, { token, body });

describe('the JSON of an incident', () => {
  it('carries causes, changes, similar incidents, metrics and what logs are against the hour before', async () => {
    const { status, body } = await get('/200');
    expect(status).toBe(200);
    const incident = incidentDetail.parse(body);
    expect(incident.cause).toEqual({ service: 'db-primary', confidence: expect.closeTo(0.847), by: null });
    expect(incident.causes[0]?.reasons[0]).toContain('nothing that it calls does');
    expect(incident.changes.map(({ verdict }) => verdict)).toEqual(['confirmed', null, null, 'dismissed']);
    expect(incident.similar.map(({ number }) => number)).toEqual([190, 165, 154]);
    expect(incident.metrics[0]).toMatchObject({ threshold: 90, service: 'db-primary' });
    expect(incident.services.map(({ service }) => service)).toContain('checkout');
    expect(incident.alerts.filter(({ flapping }) => flapping)).toHaveLength(2);
    expect(incident.notes).toHaveLength(1);
  });

  it('says where a merged incident went', async () => {
    expect((await get('/198')).body).toMatchObject({ mergedInto: 200, status: 'resolved' });
  });
});

describe('what people say of the cause and of changes', () => {
  it('goes to the workflow, as of what was recorded', async () => {
    expect((await post('/200/cause', { service: ' db-primary ' })).status).toBe(200);
    expect((await post(`/200/changes/${changeId}/verdict`, { verdict: 'confirmed' })).status).toBe(200);
    const by = { actor: { name: 'operator@example.com', via: 'api' }, asOf: 9 };
    expect(api.messages.sent).toEqual([
      { method: 'judgeCause', args: [api.orgId, 200, { ...by, service: 'db-primary' }] },
      { method: 'judgeChange', args: [api.orgId, 200, { ...by, changeId, verdict: 'confirmed' }] },
    ]);
  });

  it('is written down directly once the incident has ended, with timeline and audit', async () => {
    api.messages.next(new ClosedError('it has ended'));
    expect((await post('/190/cause', { service: 'payments' })).status).toBe(200);
    api.messages.next(new ClosedError('it has ended'));
    expect((await post(`/190/changes/${changeId}/verdict`, { verdict: 'dismissed' })).status).toBe(200);
    const { body } = await get('/190');
    expect(body.cause).toEqual({ service: 'payments', confidence: 1, by: 'operator@example.com' });
    expect(body.changes).toMatchObject([
      { id: changeId, verdict: 'dismissed', judgedBy: 'operator@example.com' },
    ]);
    const audit = await api.fixture.owner.query(
      `select count(*)::int as count from audit_log where subject = 'incident:190' and actor = 'operator@example.com'`,
    );
    expect(audit.rows[0].count).toBe(2);
    const told = await api.fixture.owner.query(
      `select count(*)::int as count from timeline t join incidents i on i.id = t.incident_id
       where i.number = 190 and i.org_id = $1 and t.actor = 'operator@example.com'`,
      [api.orgId],
    );
    expect(told.rows[0].count).toBe(2);
  });

  it('is refused with the reason, to viewers, and for what is not there', async () => {
    api.messages.next(new RefusedError('it is a false positive'));
    expect(await post('/200/cause', { service: 'x' })).toMatchObject({ status: 409 });
    expect((await post('/200/cause', { service: 'x' }, api.tokens.viewer)).status).toBe(403);
    expect((await post('/200/cause', { service: '' })).status).toBe(400);
    expect((await post('/999/cause', { service: 'x' })).status).toBe(404);
    expect((await post('/200/changes/999999/verdict', { verdict: 'confirmed' })).status).toBe(404);
    expect((await post(`/200/changes/${changeId}/verdict`, { verdict: 'maybe' })).status).toBe(400);
  });
});

describe('an export', () => {
  it('is a draft in Markdown, in which nothing from outside is markup', async () => {
    const { status, headers, body } = await get('/200/export');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(body).toContain('Probably **db-primary** (85 %), by the evidence:');
    expect(body).toContain('Paged Ana Kovač (level 1)');
    expect(body).toContain('payments v2.3.0 → v2.3.1');
    expect(body).not.toMatch(/<script>|\]\(javascript:/);
  });

  it('is all of it as JSON', async () => {
    const { body } = await get('/200/export?format=json');
    expect(body).toMatchObject({
      number: 200,
      url: 'http://holdfast.example/incidents/200',
      timelineOmitted: 0,
    });
    expect(body.timeline).toHaveLength(34);
    expect(body.logs.patterns).toHaveLength(7);
    expect((await get('/200/export?format=pdf')).status).toBe(400);
    expect((await get('/999/export')).status).toBe(404);
  });
});

describe('a shared link', () => {
  it('is made for a while, listed without its token, and revoked', async () => {
    const made = await post('/200/shares', { for: '2d' });
    expect(made.status).toBe(201);
    expect(made.body.url).toMatch(/^http:\/\/holdfast\.example\/shared\/hfv_[\w-]{43}$/);
    expect(Date.parse(made.body.expiresAt) - Date.parse(made.body.createdAt)).toBe(2 * 86_400_000);
    const listed = await get('/200/shares', api.tokens.operator);
    expect(listed.body.items).toMatchObject([{ id: made.body.id, opened: 0, revokedAt: null }]);
    expect(JSON.stringify(listed.body)).not.toContain('hfv_');
    const path = `/api/v1/incidents/200/shares/${made.body.id}`;
    expect((await api.ask('DELETE', path, { token: api.tokens.operator })).status).toBe(204);
    expect((await api.ask('DELETE', path, { token: api.tokens.operator })).status).toBe(404);
  });

  it('is neither made nor seen by viewers, and never lasts longer than 30 days', async () => {
    expect((await post('/200/shares', {}, api.tokens.viewer)).status).toBe(403);
    expect((await get('/200/shares')).status).toBe(403);
    expect((await post('/200/shares', { for: '31d' })).status).toBe(400);
    expect((await post('/200/shares', { for: '1s' })).status).toBe(400);
  });
});
