import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../db/database.ts';
import { signLink } from '../db/signed-links.ts';
import { type BadPages, serveBadPages } from '../test/harness/bad-pages.ts';
import { serveWeb } from '../test/harness/web.ts';
import { RefusedError } from '../workflows/messages-client.ts';

let pages: BadPages;
beforeAll(async () => {
  pages = await serveBadPages();
});
afterAll(async () => {
  await pages?.close();
});

describe('what must not happen', () => {
  const post = (path: string, body: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(pages.web.base + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(body).toString(),
    });
  const cookie = () => ({ cookie: `holdfast=${pages.night.session}` });

  it('shows nothing without a session, and leads back after signing in', async () => {
    const answer = await fetch(`${pages.web.base}/incidents/200`, { redirect: 'manual' });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/sign-in?back=%2Fincidents%2F200');
  });

  it('takes no form of another session or another site', async () => {
    expect((await post('/incidents/200/acknowledge', {}, cookie())).status).toBe(403);
    expect((await post('/incidents/200/acknowledge', { _csrf: 'guess' }, cookie())).status).toBe(403);
    const foreign = { ...cookie(), origin: 'https://evil.example' };
    expect((await post('/incidents/200/acknowledge', { _csrf: pages.night.csrfToken }, foreign)).status).toBe(
      403,
    );
    expect(pages.messages.sent).toEqual([]);
  });

  it('lets a viewer see and not act', async () => {
    await pages.database.owner.query(`update memberships set role = 'viewer' where user_id = $1`, [
      pages.night.userId,
    ]);
    try {
      const shown = await (await fetch(`${pages.web.base}/incidents/200`, { headers: cookie() })).text();
      expect(shown).not.toContain('data-key="a"');
      const asked = await post('/incidents/200/acknowledge', { _csrf: pages.night.csrfToken }, cookie());
      expect(asked.status).toBe(403);
      expect((await fetch(`${pages.web.base}/mailbox`, { headers: cookie() })).status).toBe(403);
      expect((await fetch(`${pages.web.base}/settings/reports`, { headers: cookie() })).status).toBe(403);
      const settings = { _csrf: pages.night.csrfToken, recipients: 'viewer@example.com' };
      expect((await post('/settings/reports', settings, cookie())).status).toBe(403);
      expect(pages.messages.sent).toEqual([]);
    } finally {
      await pages.database.owner.query(`update memberships set role = 'owner' where user_id = $1`, [
        pages.night.userId,
      ]);
    }
  });

  it('shows a viewer what waits, without the means to act', async () => {
    await pages.database.owner.query(`update memberships set role = 'viewer' where user_id = $1`, [
      pages.night.userId,
    ]);
    try {
      const { undoWaits, asking, retry } = pages.night.executions;
      for (const id of [undoWaits, asking, retry]) {
        const shown = await (await fetch(`${pages.web.base}/executions/${id}`, { headers: cookie() })).text();
        expect(shown).not.toMatch(/<form method="post" action="\/(executions|approvals)/);
      }
      const token = { _csrf: pages.night.csrfToken, decision: 'retry', version: '2' };
      for (const path of [
        `/executions/${undoWaits}/steps/2/undo`,
        `/executions/${retry}/retry`,
        `/executions/${asking}/cancel`,
        `/runbooks/${pages.night.runbook}/pin`,
        `/runbooks/${pages.night.runbook}/unpin`,
      ]) {
        expect([path, (await post(path, token, cookie())).status]).toEqual([path, 403]);
      }
      expect(pages.messages.sent).toEqual([]);
    } finally {
      await pages.database.owner.query(`update memberships set role = 'owner' where user_id = $1`, [
        pages.night.userId,
      ]);
    }
  });

  it('takes names, commands, output and inputs as text, wherever they stand', async () => {
    const { hostile, queued, undoWaits } = pages.night.executions;
    for (const path of [
      `/executions/${hostile}`,
      `/executions/${queued}`,
      `/executions/${undoWaits}`,
      '/executions',
    ]) {
      const html = await (await fetch(pages.web.base + path, { headers: cookie() })).text();
      expect([path, html.includes('&lt;script&gt;alert(1)&lt;/script&gt;')]).toEqual([path, true]);
      const harm = ['<script>alert', '<img src=x', '\u001b', '\u202e'];
      expect([path, harm.filter((text) => html.includes(text))]).toEqual([path, []]);
    }
  });

  it("lets a viewer's mail link show and not act", async () => {
    const { rows } = await pages.database.owner.query(`select email from users where id = $1`, [
      pages.night.userId,
    ]);
    const token = await pages.database.db.write({ orgId: pages.database.orgId }, (tx) =>
      signLink(tx, {
        orgId: pages.database.orgId,
        action: 'acknowledge',
        subject: { incidentNumber: 200 },
        person: rows[0].email,
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
    await pages.database.owner.query(`update memberships set role = 'viewer' where user_id = $1`, [
      pages.night.userId,
    ]);
    try {
      expect(await (await post(`/l/${token}`, {})).text()).toContain('takes the role Operator');
      expect(pages.messages.sent).toEqual([]);
    } finally {
      await pages.database.owner.query(`update memberships set role = 'owner' where user_id = $1`, [
        pages.night.userId,
      ]);
    }
  });

  it('acts on no GET: a link from a mail shows, and acts once when it is posted', async () => {
    const token = await pages.database.db.write({ orgId: pages.database.orgId }, (tx) =>
      signLink(tx, {
        orgId: pages.database.orgId,
        action: 'acknowledge',
        subject: { incidentNumber: 200 },
        person: 'ben@example.com',
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
    const shown = await fetch(`${pages.web.base}/l/${token}`);
    expect(await shown.text()).toContain('Acknowledging says that you take care of it');
    await fetch(`${pages.web.base}/l/${token}`, { method: 'HEAD' });
    expect(pages.messages.sent).toEqual([]);

    pages.messages.next(new RefusedError('a worker is busy'));
    expect(await (await post(`/l/${token}`, {})).text()).toContain('Refused: a worker is busy');
    expect(await (await post(`/l/${token}`, {})).text()).toContain('Acknowledged: it is yours');
    expect(await (await post(`/l/${token}`, {})).text()).toContain('This link has been used');
    expect(pages.messages.sent.splice(0).map(({ args }) => args[2])).toEqual([
      { actor: { name: 'ben@example.com', via: 'mail' }, asOf: 9 },
      { actor: { name: 'ben@example.com', via: 'mail' }, asOf: 9 },
    ]);
    expect((await fetch(`${pages.web.base}/l/nonsense`)).status).toBe(410);
  });

  it('refuses a link that was passed on to somebody who is signed in as another, and leaves it good', async () => {
    const person = 'cleo@example.com';
    await pages.database.owner.query(
      `with made as (insert into users (org_id, email, name) values ($1, $2, 'Cleo') returning id)
       insert into memberships (org_id, user_id, role) select $1, id, 'operator' from made`,
      [pages.database.orgId, person],
    );
    const token = await pages.database.db.write({ orgId: pages.database.orgId }, (tx) =>
      signLink(tx, {
        orgId: pages.database.orgId,
        action: 'acknowledge',
        subject: { incidentNumber: 200 },
        person,
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
    const asked = await post(`/l/${token}`, {}, cookie());
    expect(asked.status).toBe(403);
    expect(await asked.text()).toContain(`This link was sent to ${person}`);
    const shown = await fetch(`${pages.web.base}/l/${token}`, { headers: cookie() });
    expect(await shown.text()).not.toContain('<form method="post" class="panel');
    expect(pages.messages.sent).toEqual([]);
    expect(await (await post(`/l/${token}`, {})).text()).toContain('Acknowledged: it is yours');
    pages.messages.sent.splice(0);
    await pages.database.owner.query(`delete from users where email = $1`, [person]);
  });

  it('lets no script of a mail run, nor any inline style or script of a page', async () => {
    const answer = await fetch(`${pages.web.base}/mailbox/${pages.mail.id}/html`, { headers: cookie() });
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
    const page = await fetch(`${pages.web.base}/incidents/200`, { headers: cookie() });
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';style-src 'self'");
    const html = await page.text();
    expect(html).not.toMatch(/<[^>]+\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+="/);
    expect(html).not.toContain('href="javascript:');
  });

  it('says 304 to a page that has not changed, and keeps assets for good', async () => {
    const first = await fetch(`${pages.web.base}/approvals?status=all`, { headers: cookie() });
    const html = await first.text();
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    const stylesheet = /href="(\/assets\/holdfast\.[0-9a-f]+\.css)"/.exec(html)?.[1];
    const asset = await fetch(pages.web.base + stylesheet);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    const page = `${pages.web.base}/settings/sla-policies`;
    const etag = (await fetch(page, { headers: cookie() })).headers.get('etag') ?? '';
    // fetch would add 'Cache-Control: no-cache', which asks for the whole page
    const status = await new Promise((resolve, reject) => {
      get(page, { headers: { ...cookie(), 'if-none-match': etag } }, (again) => {
        again.resume();
        resolve(again.statusCode);
      }).once('error', reject);
    });
    expect(status).toBe(304);
  });

  it('does not know what is not there', async () => {
    for (const path of [
      '/incidents/999',
      '/incidents/x',
      '/executions/1',
      '/runbooks/none',
      '/mailbox/..%2f..',
      '/x',
    ]) {
      const answer = await fetch(pages.web.base + path, { headers: cookie() });
      expect([path, answer.status]).toEqual([path, 404]);
    }
    expect((await fetch(`${pages.web.base}/incidents?cursor=bad`, { headers: cookie() })).status).toBe(400);
  });
});

describe('when the database is away', () => {
  it('says so, and what goes on meanwhile', async () => {
    const db = new Database({ url: 'postgres://nobody@127.0.0.1:1/nothing', poolSize: 1 });
    const away = await serveWeb(db, {
      messages: pages.messages,
      publicUrl: pages.web.base,
      logError: () => {},
    });
    const answer = await fetch(`${away.base}/incidents`, {
      headers: { cookie: `holdfast=${pages.night.session}` },
    });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('The database does not answer');
    expect((await fetch(`${away.base}/sign-in`)).status).toBe(200);
    await away.close();
    await db.close();
  });
});
