import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureOrganization } from '../../db/organizations.ts';
import type { Role } from '../../domain/roles.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let orgId: string;
let web: TestWeb;
const messages = createFakeMessages();
const problems: unknown[] = [];
type Visitor = Role | 'member';
const sessions: Partial<Record<Visitor, { token: string; csrfToken: string }>> = {};
let integrationId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const made = await ensureOrganization(database.db, { slug: 'tested', ownerEmail: 'owner@example.com' });
  ({ orgId, integrationId } = made);
  const { rows: teams } = await database.owner.query<{ id: string }>(
    `insert into teams (org_id, slug, name) values ($1, 'own', 'Own'), ($1, 'other', 'Other') returning id`,
    [orgId],
  );
  const [own, other] = [teams[0]!.id, teams[1]!.id];
  for (const [name, role, teamId] of [
    ['viewer', 'viewer', null],
    ['operator', 'operator', null],
    ['admin', 'admin', null],
    ['member', 'operator', own],
  ] as const) {
    sessions[name] = await signedIn(database.db, {
      orgId,
      email: `${name}@example.com`,
      role,
      teamId,
    });
  }
  for (const number of [1, 2]) {
    const { rows } = await database.owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank, alert_count, recorded_seq)
       values ($1, $2, 'Checkout <fails>', 'high', 1, 2, 7) returning id`,
      [orgId, number],
    );
    for (const fingerprint of ['a', 'b']) {
      await database.owner.query(
        `insert into alerts (org_id, integration_id, fingerprint, status, name, severity, severity_rank, service,
           labels, annotations, starts_at, incident_id)
         values ($1, $2, $3, 'firing', $4, 'high', 1, $5, '{}', '{}', now(), $6)`,
        [
          orgId,
          integrationId,
          `${fingerprint}${number}`,
          `Alert-${fingerprint}`,
          `svc-${fingerprint}`,
          rows[0].id,
        ],
      );
    }
  }
  await database.owner.query(
    `insert into incidents (org_id, number, title, severity, severity_rank, team_id, merged_into) values
       ($1, 3, 'Another team', 'high', 1, $2, null), ($1, 4, 'Merged into it', 'high', 1, $3, 3),
       ($1, 5, 'Merged into a shared one', 'high', 1, $3, 2)`,
    [orgId, other, own],
  );
  web = await serveWeb(database.db, { messages, logError: (error) => problems.push(error) });
});
afterAll(async () => {
  await web.close();
  await database.close();
});

async function page(path: string, role: Visitor = 'admin') {
  const answer = await fetch(web.base + path, { headers: { cookie: `holdfast=${sessions[role]!.token}` } });
  return { status: answer.status, html: await answer.text() };
}

async function send(path: string, fields: [string, string][] = [], role: Visitor = 'admin') {
  const { token, csrfToken } = sessions[role]!;
  const answer = await fetch(web.base + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: `holdfast=${token}` },
    body: new URLSearchParams([...fields, ['_csrf', csrfToken]]),
  });
  return { status: answer.status, location: answer.headers.get('location'), html: await answer.text() };
}

const organization = '/settings/correlation/organization';

it('keeps what was typed beside what is wrong with it', async () => {
  const { status, html } = await send(organization, [
    ['window', 'soon'],
    ['labels', 'host much'],
  ]);
  expect(status).toBe(422);
  expect(html).toContain('value="soon"');
  expect(html).toContain('Write a time such as 5m');
  expect(html).toContain('Write a label and a weight');
  expect(problems).toEqual([]);
});

it('tries edited rules on what came, and saves nothing by that', async () => {
  const { status, html } = await send(`${organization}/try`, [
    ['threshold', '1'],
    ['topologyHops', '0'],
  ]);
  expect(status).toBe(200);
  expect(html).toMatch(/Of 4 alerts since \d{4}-\d\d-\d\d these rules make \d incidents? instead of \d/);
  const { rows } = await database.owner.query('select 1 from correlation_rules');
  expect(rows).toEqual([]);
});

it('saves rules, shows them as they were written, and takes them back', async () => {
  const saved = await send(organization, [
    ['window', '7m'],
    ['labels', 'host 0.7\nzone 0.2'],
    ['changes', '8'],
  ]);
  expect(saved).toMatchObject({ status: 303, location: '/settings/correlation' });
  const { rows } = await database.owner.query('select definition from correlation_rules');
  expect(rows).toEqual([
    { definition: { window: '7m', labels: { host: 0.7, zone: 0.2 }, flapping: { changes: 8 } } },
  ]);
  expect((await page('/settings/correlation', 'viewer')).html).toContain('7m');
  expect((await page(organization)).html).toContain('host 0.7\nzone 0.2');
  expect((await page(organization, 'operator')).status).toBe(403);
  expect((await send(`${organization}/delete`)).status).toBe(303);
  expect((await page('/settings/correlation')).html).toContain('the defaults');
});

it('lists what people decided, and forgets it', async () => {
  await database.owner.query(
    `insert into correlation_memory (org_id, integration_id, fingerprint, group_id, name, incident_number, decided_by)
     select $1, $2, f, '00000000-0000-0000-0000-000000000001', 'DiskFull', 1, 'ana@example.com'
     from unnest(array['a', 'b']) f`,
    [orgId, integrationId],
  );
  expect((await page('/settings/correlation')).html).toContain('together with 1 alert');
  expect((await page('/settings/correlation', 'viewer')).html).not.toContain('Forget');
  const forget: [string, string][] = [
    ['integration', integrationId],
    ['fingerprint', 'a'],
  ];
  expect((await send('/settings/correlation/forget', forget, 'viewer')).status).toBe(403);
  expect((await send('/settings/correlation/forget', forget, 'operator')).status).toBe(303);
  expect((await page('/settings/correlation')).html).toContain('by itself');
});

it("shows and forgets nothing of another team's decisions, and merges nothing into its incidents", async () => {
  await database.owner.query(
    `insert into correlation_memory (org_id, integration_id, fingerprint, group_id, name, incident_number, decided_by)
     values ($1, $2, 'c', gen_random_uuid(), 'OfAnotherTeam', 3, 'ana@example.com')`,
    [orgId, integrationId],
  );
  expect((await page('/settings/correlation')).html).toContain('OfAnotherTeam');
  expect((await page('/settings/correlation', 'member')).html).not.toContain('OfAnotherTeam');
  const forget: [string, string][] = [
    ['integration', integrationId],
    ['fingerprint', 'c'],
  ];
  await send('/settings/correlation/forget', forget, 'member');
  expect((await page('/settings/correlation')).html).toContain('OfAnotherTeam');
  expect((await send('/incidents/1/merge', [['into', '4']], 'member')).status).toBe(404);
  const followed = await send('/incidents/1/merge', [['into', '5']], 'member');
  expect(followed).toMatchObject({ status: 303, location: '/incidents/2' });
  expect(messages.sent.at(-1)?.args[2]).toMatchObject({ into: 2 });
});

it('splits alerts off by form, and wants at least one', async () => {
  const { html } = await page('/incidents/1/split', 'operator');
  const ids = [...html.matchAll(/name="alert" value="(\d+)"/g)].map(([, id]) => Number(id));
  expect(ids).toHaveLength(2);
  expect((await send('/incidents/1/split', [], 'operator')).status).toBe(422);
  const done = await send(
    '/incidents/1/split',
    [...ids.map((id): [string, string] => ['alert', String(id)]), ['into', ''], ['asOf', '7']],
    'operator',
  );
  expect(done).toMatchObject({ status: 303, location: '/incidents/1/alerts' });
  expect(messages.sent.at(-1)).toMatchObject({
    method: 'regroup',
    args: [
      orgId,
      1,
      { actor: { name: 'operator@example.com', via: 'page' }, asOf: 7, alertIds: ids, into: null },
    ],
  });
});

it('merges by form into an incident that is chosen, and leads there', async () => {
  const { html } = await page('/incidents/1/merge', 'operator');
  expect(html).toContain('<option value="2">#2 Checkout &lt;fails&gt;');
  expect((await send('/incidents/1/merge', [], 'operator')).status).toBe(422);
  expect((await send('/incidents/1/merge', [['into', '1']], 'operator')).status).toBe(422);
  const done = await send('/incidents/1/merge', [['into', '2']], 'operator');
  expect(done).toMatchObject({ status: 303, location: '/incidents/2' });
  expect(messages.sent.at(-1)?.args[2]).toMatchObject({ alertIds: null, into: 2 });
  expect((await page('/incidents/1/merge', 'viewer')).status).toBe(403);
  expect(problems).toEqual([]);
});
