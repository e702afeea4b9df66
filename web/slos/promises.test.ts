import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { ClosedError } from '../../workflows/messages-client.ts';

/** The forms of what is promised: calendars, policies, objectives, and the reasons of breaches. */
let database: TestDatabase;
let web: TestWeb;
let session: { token: string; csrfToken: string };
const messages = createFakeMessages();

beforeAll(async () => {
  database = await createTestDatabase();
  const { orgId, owner } = database;
  session = await signedIn(database.db, { orgId, email: 'admin@example.com', role: 'admin' });
  await owner.query(
    `with i as (
       insert into incidents (org_id, number, title, severity, severity_rank, status, resolved_at)
       values ($1, 1, 'down', 'critical', 0, 'resolved', now()) returning id)
     insert into sla_clocks (org_id, incident_id, kind, policy, started_at, at_risk_at, due_at, state)
     select $1, id, 'resolve', 'critical', now(), now(), now(), 'breached' from i`,
    [orgId],
  );
  web = await serveWeb(database.db, { messages, logError: (error) => console.error(error) });
});
afterAll(async () => {
  await web?.close();
  await database?.close();
});

/** Sends a form, and reads the page that it leads to. */
async function send(path: string, fields: Record<string, string>) {
  const cookie = `holdfast=${session.token}`;
  const body = new URLSearchParams({ ...fields, _csrf: session.csrfToken });
  const answer = await fetch(web.base + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie },
    body,
  });
  if (answer.status !== 303) return { status: answer.status, html: await answer.text() };
  const flash = answer.headers.getSetCookie().map((text) => text.split(';')[0]);
  const next = await fetch(web.base + answer.headers.get('location'), {
    headers: { cookie: [cookie, ...flash].join('; ') },
  });
  return { status: answer.status, html: await next.text() };
}

it('proposes for a calendar the zone of whoever makes it', async () => {
  await database.owner.query(`update users set time_zone = 'Asia/Kolkata'`);
  const headers = { cookie: `holdfast=${session.token}` };
  const html = await (await fetch(`${web.base}/settings/sla-calendars/new`, { headers })).text();
  expect(html).toMatch(/name="timeZone"[^>]*value="Asia\/Kolkata"/);
});

it('makes a calendar, tries it before, and keeps it while a policy goes by it', async () => {
  const office = { name: 'office', timeZone: 'Europe/Berlin', mon: '09:00-17:00', holidays: '' };
  const tried = await send('/settings/sla-calendars/new/try', { ...office, name: '' });
  expect(tried.status).toBe(200);
  expect(tried.html).toContain('09:00–17:00');
  const wrong = await send('/settings/sla-calendars/new', { ...office, mon: 'nine' });
  expect(wrong.status).toBe(422);
  expect(wrong.html).toContain('Write times such as 09:00-17:00');
  expect((await send('/settings/sla-calendars/new', office)).html).toContain('The calendar office is saved');

  const policy = { name: 'slow', acknowledgeWithin: '1h', resolveWithin: '8h', calendar: 'office' };
  expect((await send('/settings/sla-policies/new', policy)).html).toContain('The policy slow is saved');
  const tooLong = await send('/settings/sla-policies/slow', { ...policy, resolveWithin: '60d' });
  expect(tooLong.html).toContain('take more than a year');
  const kept = await send('/settings/sla-calendars/office/delete', {});
  expect(kept.html).toContain('Not deleted: the SLA policies slow go by this calendar');
});

it('makes an objective, and tries it before', async () => {
  const total = 'sum(rate(http_requests_total[$window]))';
  const fields = {
    name: 'checkout',
    objectivePercent: '99.9',
    windowDays: '30',
    type: 'ratio',
    good: total,
    total,
  };
  const tried = await send('/slos/new/try', fields);
  expect(tried.html).toContain('How much of the error budget is left is not known.');
  expect(messages.sent.at(-1)).toMatchObject({
    method: 'previewSlo',
    args: [database.orgId, { objectivePercent: 99.9 }],
  });
  const wrong = await send('/slos/new', { ...fields, good: 'up', alerts: 'loud 3' });
  expect(wrong.status).toBe(422);
  expect(wrong.html).toMatch(/write the range as \[\$window\]/);
  expect(wrong.html).toContain('“loud 3” is no alert');
  const broken = await send('/slos/new', { ...fields, good: `${total})` });
  expect(broken.status).toBe(422);
  expect(broken.html).toContain('it is no PromQL: look at &#x27;)&#x27;');
  await database.owner.query(`insert into teams (org_id, slug, name) values ($1, 'pay', 'Payments')`, [
    database.orgId,
  ]);
  const stray = await send('/slos/new', { ...fields, team: 'gone' });
  expect(stray.html).toContain('there is no team');
  const saved = await send('/slos/new', { ...fields, team: 'pay', alerts: 'critical 10x 2h 10m' });
  expect(saved.html).toContain('The SLO checkout is saved');
  expect(saved.html).toContain('2h and 10m');
  expect(saved.html).toContain('team <bdi>Payments</bdi>');
});

it('takes the reason of a breach, also of an incident that is closed', async () => {
  const path = '/incidents/1/breaches/resolve/reason';
  expect((await send(path, { reason: 'other' })).html).toContain('say in the note what it was');
  messages.next(new ClosedError('it has ended'));
  const told = await send(path, { reason: 'not_available', note: 'the phone was off' });
  expect(told.html).toContain('The reason is on the timeline');
  expect(told.html).toContain('Nobody was available: the phone was off');
  messages.next(new ClosedError('it has ended'));
  const unbreached = await send('/incidents/1/breaches/acknowledge/reason', { reason: 'not_available' });
  expect(unbreached.html).toContain('the clock to acknowledge is not breached');
});
