import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureOrganization } from '../../db/organizations.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let orgId: string;
let web: TestWeb;
const sessions = new Map<string, { token: string; csrfToken: string }>();
const problems: unknown[] = [];
const sentKey = 'incident:i:page:a b';

beforeAll(async () => {
  database = await createTestDatabase();
  const made = await ensureOrganization(database.db, { slug: 'tested', ownerEmail: 'owner@example.com' });
  ({ orgId } = made);
  for (const role of ['operator', 'admin'] as const) {
    const session = await signedIn(database.db, { orgId, email: `${role}@example.com`, role });
    sessions.set(role, session);
  }
  await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, opened_at)
     values ($1, 7, 'Disk full', 'critical', 0, now() - interval '2 days')`,
    [orgId],
  );
  await database.owner.query(
    `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service, labels,
       annotations, starts_at, incident_id)
     select $1, $2, 'f', 'firing', 'Disk*Full', 'critical', 0, 'db', '{}', '{}', now(), id from incidents where number = 7`,
    [orgId, made.integrationId],
  );
  await database.owner.query(
    `insert into notifications (org_id, key, type, incident_id, channel, destination, subject, status, person, cause)
     select $1, $2, 'escalation.page', id, 'email', 'admin@example.com', 'Disk <full>', 'sent', 'admin@example.com', $3
     from incidents where number = 7`,
    [orgId, sentKey, JSON.stringify({ event: 'incident.opened', at: new Date().toISOString(), level: 1 })],
  );
  web = await serveWeb(database.db, {
    logError: (error) => problems.push(error),
    timeZone: 'Asia/Kolkata',
    workflowUrl: (id) => `http://temporal.example/${id}`,
    readOrigin: async (workflowId) => ({
      workflowId,
      runId: 'r',
      eventId: 31,
      at: '2026-01-01T00:00:00Z',
      cause: null,
    }),
  });
});
afterAll(async () => {
  await web.close();
  await database.close();
});

async function page(path: string, role = 'admin') {
  const answer = await fetch(web.base + path, {
    redirect: 'manual',
    headers: { cookie: `holdfast=${sessions.get(role)?.token}` },
  });
  return { status: answer.status, location: answer.headers.get('location'), html: await answer.text() };
}

async function send(path: string, fields: [string, string][], role = 'admin') {
  const session = sessions.get(role);
  const answer = await fetch(web.base + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: `holdfast=${session?.token}` },
    body: new URLSearchParams([...fields, ['_csrf', session?.csrfToken ?? '']]),
  });
  return { status: answer.status, location: answer.headers.get('location'), html: await answer.text() };
}

describe('the log', () => {
  it('is filtered by its address, and a link in a message leads to why it was sent', async () => {
    const { html } = await page('/notifications?person=admin@example.com&incident=%237');
    expect(html).toContain('Disk &lt;full&gt;');
    expect((await page('/notifications?status=failed&cursor=nonsense')).html).toContain(
      'No message is like this',
    );
    const found = await page(`/notifications/find?key=${encodeURIComponent(sentKey)}`);
    expect(found).toMatchObject({ status: 303, location: expect.stringMatching(/^\/notifications\/\d+$/) });
    const why = (await page(found.location ?? '')).html;
    expect(why).toContain('You were paged because level 1 of the escalation policy came due');
    expect(why).toContain('Event 31 scheduled it');
    expect(why).toContain(`href="http://temporal.example/incident:${orgId}:7"`);
    expect((await page('/notifications/find?key=x')).status).toBe(404);
    expect((await page('/notifications/1e9')).status).toBe(404);
    expect(problems).toEqual([]);
  });
});

describe('a message that goes on from one that says many', () => {
  it('is in the log with what it is for, and leads to the first', async () => {
    const insert = async (key: string, first: number | null) => {
      const { rows } = await database.owner.query(
        `insert into notifications (org_id, key, type, channel, destination, subject, status, person, part_of)
         values ($1, $2, 'notifications.consolidated', 'email', 'admin@example.com', $2, 'sent', 'admin@example.com', $3)
         returning id`,
        [orgId, key, first],
      );
      return Number(rows[0].id);
    };
    const first = await insert('many', null);
    const later = await insert('many:1:12', first);
    await database.owner.query('update notifications set consolidated_into = $1 where key = $2', [
      first,
      sentKey,
    ]);
    const { html: log } = await page('/notifications?type=notifications.consolidated');
    for (const id of [first, later]) expect(log).toContain(`href="/notifications/${id}"`);
    const { html } = await page(`/notifications/${later}`);
    expect(html).toContain('You were told because there was more to say');
    expect(html).toContain(`href="/notifications/${first}"`);
    await database.owner.query('update notifications set consolidated_into = null');
    await database.owner.query('delete from notifications where id = any($1)', [[first, later]]);
  });
});

describe('where a person was reached', () => {
  it('is shown to Admins and to them; others see who it was, and by what', async () => {
    const { rows } = await database.owner.query(
      `insert into notifications (org_id, key, type, incident_id, channel, destination, subject, status, error, person)
       select $1, 'away', 'escalation.page', id, 'email', 'home@private.example', 'Disk full', 'failed',
         'no mail to home@private.example', 'ben@example.com' from incidents where number = 7 returning id`,
      [orgId],
    );
    const paths = ['/notifications', `/notifications/${rows[0].id}`, '/incidents/7'];
    for (const path of paths) {
      const { html } = await page(path, 'operator');
      expect(html).not.toContain('private.example');
    }
    expect((await page('/notifications', 'operator')).html).toContain('no mail to (address)');
    expect((await page(paths[1] ?? '')).html).toContain('email: home@private.example');
    await database.owner.query('delete from notifications where id = $1', [rows[0].id]);
  });
});

const rule: [string, string][] = [
  ['name', 'all'],
  ['order', '5'],
  ['triggers', 'incident.opened'],
  ['triggers', 'incident.resolved'],
  ['severities', 'critical'],
  ['timeZone', 'UTC'],
  ['who.0', 'email'],
  ['address.0', 'team@example.com'],
  ['who.1', ''],
  ['address.1', ''],
];

describe('the form of a rule', () => {
  it('tries a rule that has no name yet, and saves nothing by that', async () => {
    const unnamed = rule.filter(([name]) => name !== 'name');
    const { status, html } = await send('/settings/rules/new/try', unnamed);
    expect(status).toBe(200);
    expect(html).toContain('It would have matched 1 of 1 event of the last 30 days and sent 1 message.');
    expect(html).toContain('the severity is critical');
    expect(html).toContain('<bdi>team@example.com</bdi>: 1');
    expect((await page('/settings/rules')).html).toContain('No rule yet');
  });

  it('adds and removes rows of targets and keeps what was typed', async () => {
    const { html } = await send('/settings/rules/new', [...rule, ['edit', 'add-target']]);
    expect(html).toContain('name="who.2"');
    expect(html).toContain('value="team@example.com"');
    const removed = await send('/settings/rules/new', [...rule, ['edit', 'remove-target.0']]);
    expect(removed.html).not.toContain('value="team@example.com"');
  });

  it('says beside the field what is wrong, saves what is right, and deletes it', async () => {
    const wrong = await send('/settings/rules/new', [
      ...rule,
      ['template', '{{incident.password}}'],
      ['days', 'mon'],
    ]);
    expect(wrong.status).toBe(422);
    expect(wrong.html).toContain('there is no field &#x27;incident.password&#x27;');
    expect((await send('/settings/rules/new', rule, 'operator')).status).toBe(403);
    expect(await send('/settings/rules/new', rule)).toMatchObject({
      status: 303,
      location: '/settings/rules',
    });
    const { html } = await page('/settings/rules/all');
    expect(html).toMatch(/value="incident.resolved" checked/);
    expect((await send('/settings/rules/new', rule)).html).toContain('There is one of this name.');
    expect((await send('/settings/rules/all/delete', [])).status).toBe(303);
    expect((await page('/settings/rules/all')).status).toBe(404);
    expect(problems).toEqual([]);
  });
});

describe('the form of a silence', () => {
  const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString().slice(0, 16);

  it('begins with what it was opened for, taken literally', async () => {
    const { html } = await page('/silences/new?alert=Disk*Full&service=db&label.host=a');
    expect(html).toContain('value="Disk\\*Full"');
    expect(html).toContain('host &#x3D; a');
  });

  it('offers whoever has a role in one team that team alone', async () => {
    const { rows } = await database.owner.query(
      `insert into teams (org_id, slug, name) values ($1, 'shop', 'Shop') returning id`,
      [orgId],
    );
    const session = await signedIn(database.db, {
      orgId,
      email: 'shop@example.com',
      role: 'operator',
      teamId: rows[0].id,
    });
    sessions.set('shop', session);
    expect((await page('/silences/new', 'operator')).html).toContain('>Everybody</option>');
    expect((await page('/silences/new', 'shop')).html).not.toContain('>Everybody</option>');
    const fields: [string, string][] = [
      ['alert', '*'],
      ['endsAt', inAnHour()],
      ['reason', 'quiet'],
    ];
    const refused = await send('/silences/new', fields, 'shop');
    expect(refused.status).toBe(422);
    expect(refused.html).toContain('Choose one of your teams.');
    const tried = await send('/silences/new/try', fields, 'shop');
    expect(tried.status).toBe(422);
    expect(tried.html).toContain('Choose one of your teams.');
    const own = await send('/silences/new/try', [...fields, ['team', 'shop']], 'shop');
    expect(own.html).toContain('It would have caught 0 of');
  });

  it('takes its times by the clock of its zone, at first of whoever makes it', async () => {
    expect((await page('/silences/new')).html).toContain('value="Asia/Kolkata"');
    expect((await page('/settings/rules/new')).html).toContain('value="Asia/Kolkata"');
    const fields: [string, string][] = [
      ['service', 'db'],
      ['startsAt', '2027-01-10T09:00'],
      ['endsAt', '2027-01-10T11:00'],
      ['timeZone', 'Europe/Lisbn'],
      ['reason', 'new disks'],
    ];
    const wrong = await send('/silences/new', fields, 'operator');
    expect(wrong.status).toBe(422);
    expect(wrong.html).toContain('Write a time zone such as Europe/Berlin or UTC.');
    const right = fields.map(([name, value]): [string, string] => [
      name,
      name === 'timeZone' ? 'America/New_York' : value,
    ]);
    expect((await send('/silences/new', right, 'operator')).status).toBe(303);
    const list = (await page('/silences', 'operator')).html;
    expect(list).toContain('datetime="2027-01-10T14:00:00.000Z"');
    const [, end] = /action="(\/silences\/[^"]+\/end)"/.exec(list) ?? [];
    expect((await send(end ?? '', [], 'operator')).status).toBe(303);
  });

  it('shows what it would catch before there is a reason, then is made and ended', async () => {
    const fields: [string, string][] = [
      ['alert', 'Disk\\*Full'],
      ['endsAt', inAnHour()],
    ];
    const tried = await send('/silences/new/try', fields, 'operator');
    expect(tried.html).toContain('It would have caught 1 of 1 alerts of the last 30 days.');
    expect(tried.html).toContain('href="/incidents/7"');
    const wrong = await send('/silences/new', fields, 'operator');
    expect(wrong.status).toBe(422);
    expect(wrong.html).toContain('Say why.');
    expect((await send('/silences/new', [...fields, ['reason', 'new disks']], 'operator')).status).toBe(303);
    const list = (await page('/silences', 'operator')).html;
    expect(list).toContain('1 alert in <a href="/incidents/7">#7</a>');
    const [, end] = /action="(\/silences\/[^"]+\/end)"/.exec(list) ?? [];
    // everybody's silence is not one team's to end
    const seen = (await page('/silences', 'shop')).html;
    expect(seen).toContain('new disks');
    expect(seen).not.toContain('/end"');
    expect((await send(end ?? '', [], 'shop')).status).toBe(403);
    expect((await send(end ?? '', [], 'operator')).status).toBe(303);
    expect((await page('/silences')).html).toContain('Nothing is silenced');
    expect(problems).toEqual([]);
  });
});
