import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createShare, revokeShare } from '../../db/shares.ts';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { ClosedError } from '../../workflows/messages-client.ts';

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
let changeId: number;
const messages = createFakeMessages();
const problems: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  web = await serveWeb(database.db, { messages, logError: (error) => problems.push(error) });
  const { rows } = await database.owner.query(`select id from changes where external_id = 'seed-0'`);
  changeId = Number(rows[0].id);
});
afterAll(async () => {
  await web?.close();
  await database?.close();
});
beforeEach(() => {
  messages.sent.length = 0;
});

const signedIn = () => ({ cookie: `holdfast=${night.session}` });
const get = (path: string, headers: Record<string, string> = signedIn()) =>
  fetch(web.base + path, { headers, redirect: 'manual' });
const post = (path: string, body: Record<string, string>) =>
  fetch(web.base + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...signedIn() },
    body: new URLSearchParams({ _csrf: night.csrfToken, ...body }).toString(),
  });
const asViewer = async (work: () => Promise<void>) => {
  await database.owner.query(`update memberships set role = 'viewer' where user_id = $1`, [night.userId]);
  try {
    await work();
  } finally {
    await database.owner.query(`update memberships set role = 'owner' where user_id = $1`, [night.userId]);
  }
};

describe('the tabs of an incident', () => {
  it('carry the sentence with the cause, and each only its own evidence', async () => {
    const tabs: [path: string, own: string][] = [
      ['', 'id="cause-title"'],
      ['/alerts', 'flapping</span>'],
      ['/logs', 'Most relevant lines'],
      ['/metrics', '<svg class="chart"'],
      ['/changes', 'id="changes-title"'],
      ['/similar', 'id="similar-190"'],
    ];
    for (const [path] of tabs) {
      const html = await (await get(`/incidents/200${path}`)).text();
      expect([
        path,
        html.includes('The cause is probably <strong><bdi>db-primary</bdi></strong> (85 %).'),
      ]).toEqual([path, true]);
      expect([path, tabs.filter(([, text]) => html.includes(text)).map(([which]) => which)]).toEqual([
        path,
        [path],
      ]);
      expect([path, html.includes(`href="/incidents/200${path}" aria-current="page"`)]).toEqual([path, true]);
    }
    expect(problems).toEqual([]);
  });

  it('take what came from outside as text', async () => {
    for (const path of ['', '/alerts', '/logs', '/metrics', '/changes', '/similar', '/shares']) {
      const html = await (await get(`/incidents/200${path}`)).text();
      expect([path, /<script>alert|<b>Its|<b onmouseover|href="javascript:/.exec(html)]).toEqual([
        path,
        null,
      ]);
    }
  });

  it('lead from a merged incident to the one that has its alerts', async () => {
    const html = await (await get('/incidents/198')).text();
    expect(html).toContain('<a href="/incidents/200">incident #200</a>');
    expect(html).not.toContain('id="cause-title"');
  });

  it('say which log source failed and when it is tried again', async () => {
    await database.owner.query(
      `update incident_logs set error = 'no answer within 10 s', retry_at = now() + interval '2 minutes'`,
    );
    const html = await (await get('/incidents/200/logs')).text();
    expect(html).toContain('The logs could not be read: no answer within 10 s. It is tried again ');
    expect(html).toContain('what an earlier look found is below');
    await database.owner.query('update incident_logs set error = null, retry_at = null');
  });
});

describe('what people say of the cause', () => {
  const by = () => ({ actor: { name: 'ana@example.com', via: 'page' }, asOf: 9 });

  it('confirms it, corrects it, and judges changes', async () => {
    expect(
      (await post('/incidents/200/cause', { asOf: '9', service: 'db-primary' })).headers.get('location'),
    ).toBe('/incidents/200');
    await post('/incidents/200/cause', { asOf: '9', service: ' dns ' });
    const judged = await post(`/incidents/200/changes/${changeId}/verdict`, {
      asOf: '9',
      verdict: 'confirmed',
    });
    expect(judged.headers.get('location')).toBe('/incidents/200/changes');
    expect(messages.sent.map(({ method, args }) => [method, args[2]])).toEqual([
      ['judgeCause', { ...by(), service: 'db-primary' }],
      ['judgeCause', { ...by(), service: 'dns' }],
      ['judgeChange', { ...by(), changeId, verdict: 'confirmed' }],
    ]);
  });

  it('is written down also once the incident has ended', async () => {
    messages.next(new ClosedError('it has ended'));
    await post('/incidents/190/cause', { service: 'payments' });
    expect(await (await get('/incidents/190')).text()).toContain(
      'The cause was <strong><bdi>payments itself</bdi></strong>, says Ana Kovač.',
    );
  });

  it('is nothing that a viewer may say, nor of a change that is not there', async () => {
    expect((await post('/incidents/200/changes/999999/verdict', { verdict: 'confirmed' })).status).toBe(404);
    await asViewer(async () => {
      for (const path of ['/incidents/200', '/incidents/200/changes'])
        expect(await (await get(path)).text()).not.toMatch(/<form method="post" action="\/incidents/);
      expect((await post('/incidents/200/cause', { service: 'x' })).status).toBe(403);
      expect(
        (await post(`/incidents/200/changes/${changeId}/verdict`, { verdict: 'confirmed' })).status,
      ).toBe(403);
    });
    expect(messages.sent).toEqual([]);
  });
});

describe('an export', () => {
  it('is a file: Markdown, or JSON', async () => {
    const draft = await get('/incidents/200/export?format=markdown');
    expect(draft.headers.get('content-disposition')).toBe('attachment; filename=incident-200.md');
    expect(draft.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(await draft.text()).toContain('# \\#\u2060200 checkout: db-primary refuses connections');
    const json = await get('/incidents/200/export?format=json');
    expect(json.headers.get('content-disposition')).toBe('attachment; filename=incident-200.json');
    expect(await json.json()).toMatchObject({ number: 200, cause: { service: 'db-primary' } });
    expect((await get('/incidents/200/export', {})).status).toBe(303);
  });
});

describe('a link for people without an account', () => {
  it('is shown once, opens a page that does nothing and leads nowhere, and is revoked', async () => {
    const made = await (await post('/incidents/200/shares', { for: '1d' })).text();
    const path = /\/shared\/hfv_[\w-]{43}/.exec(made)?.[0] ?? '';
    expect(await (await get('/incidents/200/shares')).text()).not.toContain('hfv_');

    const page = await get(path, {});
    expect(page.status).toBe(200);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('x-robots-tag')).toContain('noindex');
    expect(page.headers.get('cache-control')).toBe('no-store');
    const html = await page.text();
    expect(html).toContain('db-primary');
    expect(html).toContain('Paged Ana Kovač (level 1)');
    for (const hidden of [
      '<form',
      'href="/incidents',
      'href="/services',
      '@example.com',
      '_csrf',
      '10.0.3.17',
    ])
      expect([hidden, html.includes(hidden)]).toEqual([hidden, false]);

    const list = await (await get('/incidents/200/shares')).text();
    const revoke = /\/incidents\/200\/shares\/[0-9a-f-]{36}\/revoke/.exec(list)?.[0] ?? '';
    expect((await post(revoke, {})).status).toBe(303);
    const gone = await get(path, {});
    expect([gone.status, (await gone.text()).includes('db-primary')]).toEqual([410, false]);
  });

  it('shows the same nothing to whoever guesses, and needs the role Operator to be made', async () => {
    for (const token of ['hfv_guess', '../incidents/200', 'x'.repeat(3000)])
      expect((await get(`/shared/${encodeURIComponent(token)}`, {})).status).toBe(410);
    await asViewer(async () => {
      expect((await get('/incidents/200/shares')).status).toBe(403);
      expect((await post('/incidents/200/shares', { for: '1d' })).status).toBe(403);
    });
  });

  it('of one incident revokes none of another', async () => {
    const incidents = await database.owner.query(
      `select id, number from incidents where number in (199, 200) order by number`,
    );
    const scope = { orgId: database.orgId };
    const { share } = await database.db.write(scope, (tx) =>
      createShare(tx, { ...scope, incident: incidents.rows[1], actor: 'ana@example.com', forMs: 60_000 }),
    );
    const revoked = await database.db.write(scope, (tx) =>
      revokeShare(tx, { ...scope, incident: incidents.rows[0], shareId: share.id, actor: 'ana@example.com' }),
    );
    expect(revoked).toBe(false);
  });
});
