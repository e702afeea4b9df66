import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureOrganization } from '../../db/organizations.ts';
import type { Role } from '../../domain/roles.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { type ExecutionSeed, seedExecution, seedRunbookVersion } from '../../test/harness/executions.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { RefusedError } from '../../workflows/messages-client.ts';

let database: TestDatabase;
let orgId: string;
let web: TestWeb;
const messages = createFakeMessages();
const problems: unknown[] = [];
/** 'red' is an operator in the team of that name alone. */
type Reader = Role | 'red';
const sessions: Partial<Record<Reader, { token: string; csrfToken: string }>> = {};

beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = await ensureOrganization(database.db, { slug: 'tested', ownerEmail: 'owner@example.com' }));
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    sessions[role] = await signedIn(database.db, { orgId, email: `${role}@example.com`, role });
  }
  const { rows } = await database.owner.query(
    `insert into teams (org_id, slug, name) values ($1, 'red', 'Red') returning id`,
    [orgId],
  );
  sessions.red = await signedIn(database.db, {
    orgId,
    email: 'ana@example.com',
    role: 'operator',
    teamId: rows[0].id,
  });
  await seedRunbookVersion({ owner: database.owner, orgId }, 'restart');
  web = await serveWeb(database.db, { messages, logError: (error) => problems.push(error) });
});
afterAll(async () => {
  await web.close();
  await database.close();
});
beforeEach(async () => {
  messages.sent.length = 0;
  await database.owner.query(
    `delete from executions; delete from automation_stops; delete from safety_rules;
     delete from maintenance_windows; delete from circuit_resets`,
  );
});

const create = (seed: ExecutionSeed = {}) => seedExecution({ owner: database.owner, orgId }, seed);

async function page(path: string, role: Reader = 'operator') {
  const answer = await fetch(web.base + path, { headers: { cookie: `holdfast=${sessions[role]!.token}` } });
  return { status: answer.status, html: await answer.text() };
}

/** Sends a form as the page of `role` has it, and reads the page that it leads to. */
async function send(path: string, fields: Record<string, string> = {}, role: Reader = 'operator') {
  const { token, csrfToken } = sessions[role]!;
  const cookie = `holdfast=${token}`;
  const answer = await fetch(web.base + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie },
    body: new URLSearchParams({ ...fields, _csrf: csrfToken }),
  });
  if (answer.status !== 303) return { status: answer.status, html: await answer.text() };
  const flash = answer.headers.getSetCookie().map((text) => text.split(';')[0]);
  const next = await fetch(web.base + answer.headers.get('location'), {
    headers: { cookie: [cookie, ...flash].join('; ') },
  });
  return { status: answer.status, html: await next.text() };
}

describe('the kill switch', () => {
  it('wants a reason, says on every page that it is pressed, and is lifted by admins', async () => {
    const without = await send('/automation/stop');
    expect(without.status).toBe(422);
    expect(without.html).toContain('Say why');
    expect((await send('/automation/stop', { reason: 'failing over' })).html).toContain('nothing new runs.');
    for (const path of ['/incidents', '/runbooks', '/health']) {
      expect((await page(path)).html).toContain('<bdi>failing over</bdi>. Nothing new runs.');
    }
    expect((await page('/automation')).html).not.toContain('Stop automation');
    expect((await send('/automation/resume')).status).toBe(403);
    expect((await send('/automation/resume', {}, 'admin')).html).toContain('Automation is on again');
    expect((await page('/incidents')).html).not.toContain('Nothing new runs');
  });

  it('is not for viewers', async () => {
    expect((await page('/automation', 'viewer')).html).not.toContain('Stop automation');
    expect((await send('/automation/stop', { reason: 'x' }, 'viewer')).status).toBe(403);
    expect((await database.owner.query('select 1 from automation_stops')).rows).toEqual([]);
  });

  it('asks about each run: it goes on, or is cancelled and rolled back', async () => {
    const [first, second, third] = [
      await create({ admitted: 3, status: 'running' }),
      await create({ admitted: 2, status: 'running', target: 'db-1' }),
      await create({ admitted: 1, status: 'running', target: 'db-2' }),
    ];
    await send('/automation/stop', { reason: 'failing over' });
    expect((await page('/automation')).html).toContain('3 runs that had begun wait for your word');
    expect((await send(`/automation/executions/${first}/let-go-on`)).html).toContain('restart goes on.');
    await send(`/automation/executions/${second}/cancel`);
    const actor = expect.objectContaining({ name: 'operator@example.com', via: 'page' });
    const cancelled = (id: string) => ({
      method: 'cancel',
      args: [orgId, id, { actor, reason: 'automation was stopped' }],
    });
    expect(messages.sent).toEqual([cancelled(second)]);
    messages.sent.length = 0;
    messages.next(new RefusedError('it is being rolled back already'));
    const all = await send('/automation/cancel-all');
    expect(messages.sent).toEqual([cancelled(second), cancelled(third)]);
    expect(all.html).toContain('1 of 2 are cancelled and rolled back.');
    expect(all.html).toContain('it is being rolled back already');
    expect((await send(`/automation/executions/${third}/cancel`, {}, 'viewer')).status).toBe(403);
    expect((await send('/automation/executions/nonsense/cancel')).status).toBe(404);
  });
});

it('an open circuit breaker is reset with what was found', async () => {
  for (const ago of [30, 20, 10]) await create({ admitted: ago, finished: ago - 1, status: 'failed' });
  const of = { runbook: 'restart', target: 'checkout' };
  expect((await send('/automation/circuit-breakers/reset', of)).html).toContain('say what you found');
  const reset = await send('/automation/circuit-breakers/reset', { ...of, reason: 'disk replaced' });
  expect(reset.html).toContain('restart may run on checkout again.');
  expect(reset.html).toContain('No runbook is held back');
});

it('maintenance windows are made, changed and ended by operators', async () => {
  const inAMonth = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 16);
  const soon = new Date(Date.now() + 3_600_000).toISOString().slice(0, 16);
  const fields = { target: 'db-<b>', team: '', startsAt: '', endsAt: soon, reason: 'disk swap' };
  expect((await send('/automation/maintenance/new', { ...fields, endsAt: '' })).status).toBe(422);
  expect((await send('/automation/maintenance/new', fields, 'viewer')).status).toBe(403);
  const made = await send('/automation/maintenance/new', fields);
  expect(made.html).toContain('db-&lt;b&gt;');
  expect(made.html).not.toContain('db-<b>');
  const { rows } = await database.owner.query('select id from maintenance_windows');
  const own = `/automation/maintenance/${rows[0].id}`;
  expect((await page(own)).html).toContain('disk swap');
  expect((await page('/automation/maintenance/new')).html).toContain(
    'name="timeZone" type="text" value="UTC"',
  );
  expect((await send(own, { ...fields, reason: 'two disks' })).html).toContain('two disks');
  const nights = { days: 'sat', from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' };
  expect((await send(own, { ...fields, reason: 'disks', from: '22:00', to: '06:00' })).html).toContain(
    'Name at least one day.',
  );
  expect((await send(own, { ...fields, ...nights, reason: 'disks', endsAt: inAMonth })).html).toContain(
    'only Sat 22:00–06:00 Europe/Berlin',
  );
  expect((await page('/silences')).html).toContain('only Sat 22:00–06:00 Europe/Berlin');
  expect((await page(own)).html).toContain('value="22:00"');
  expect((await send(`${own}/delete`)).html).toContain('None is planned');
  expect((await page(own)).status).toBe(404);
});

it("a maintenance window of everybody's is not one team's to make, change or end", async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString().slice(0, 16);
  const fields = { target: 'db-*', team: '', startsAt: '', endsAt: soon, reason: 'disk swap' };
  const fresh = '/automation/maintenance/new';
  expect((await page(fresh)).html).toContain('>Everybody</option>');
  const form = await page(fresh, 'red');
  expect(form.html).toContain('>Red</option>');
  expect(form.html).not.toContain('>Everybody</option>');
  for (const path of [fresh, `${fresh}/try`]) {
    const refused = await send(path, fields, 'red');
    expect(refused.status).toBe(422);
    expect(refused.html).toContain('Choose one of your teams.');
  }
  await send(fresh, fields);
  const idOf = async (reason: string) =>
    (await database.owner.query('select id from maintenance_windows where reason = $1', [reason])).rows[0].id;
  const shared = `/automation/maintenance/${await idOf('disk swap')}`;
  expect((await page(shared, 'red')).html).toContain('needs the role operator in the whole organization');
  for (const path of [shared, `${shared}/try`, `${shared}/delete`]) {
    expect((await send(path, { ...fields, team: 'red' }, 'red')).status).toBe(403);
  }
  for (const path of ['/automation', '/silences']) {
    const listed = (await page(path, 'red')).html;
    expect(listed).toContain('disk swap');
    expect(listed).not.toContain(shared);
    expect((await page(path)).html).toContain(shared);
  }
  const own = { ...fields, team: 'red', reason: 'two disks' };
  expect((await send(fresh, own, 'red')).html).toContain('two disks');
  const path = `/automation/maintenance/${await idOf('two disks')}`;
  expect((await send(path, fields, 'red')).status).toBe(422);
  expect((await send(path, own, 'red')).status).toBe(303);
  expect((await send(`${path}/delete`, {}, 'red')).html).not.toContain('two disks');
  expect(problems).toEqual([]);
});

it('a maintenance window shows what it would hold back before it is made, and while it is changed', async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString().slice(0, 16);
  const fields = { target: 'db-*', team: '', startsAt: '', endsAt: soon, reason: '' };
  expect((await page('/automation/maintenance/new')).html).toContain(
    'data-preview="/automation/maintenance/new/try"',
  );
  await create({
    target: 'db-<i>',
    requestedBy: 'Holdfast',
    admitted: 60,
    finished: 59,
    status: 'succeeded',
  });
  await create({ target: 'db-1', admitted: 60, finished: 59, status: 'succeeded' });
  const path = '/automation/maintenance/new/try';
  const tried = await send(path, fields);
  expect(tried.status).toBe(200);
  expect(tried.html).toContain('it would have held back 1 of 2 runs that acted in the last 30 days');
  expect(tried.html).toContain('People asked for 1 other on these targets');
  expect(tried.html).toContain('<bdi>db-&lt;i&gt;</bdi>');
  expect((await send(path, { ...fields, target: '' })).html).toContain('something to mend above');
  expect((await send(path, { ...fields, team: 'none' })).status).toBe(422);
  expect((await send(path, fields, 'viewer')).status).toBe(403);
  await send('/automation/maintenance/new', { ...fields, reason: 'disk swap' });
  const { rows } = await database.owner.query('select id from maintenance_windows');
  const own = `/automation/maintenance/${rows[0].id}/try`;
  expect((await send(own, { ...fields, target: 'web' })).html).toContain('held back 0 of 2 runs');
  expect((await send(own, fields, 'viewer')).status).toBe(403);
});

it('safety rules are kept by admins', async () => {
  expect((await page('/automation/rules/new', 'operator')).status).toBe(403);
  expect((await page('/automation/rules/edit?scope=organization&name=', 'admin')).html).toContain(
    'Empty: 10',
  );
  const fields = { scope: 'target', name: 'db/*', maxPerHour: '3', denyCommands: 'reboot' };
  expect((await send('/automation/rules/new', fields, 'operator')).status).toBe(403);
  expect((await send('/automation/rules/new', { ...fields, maxPerHour: 'x' }, 'admin')).status).toBe(422);
  expect((await send('/automation/rules/new', fields, 'admin')).html).toContain('Targets db/*');
  const twice = await send('/automation/rules/new', fields, 'admin');
  expect(twice.status).toBe(422);
  expect(twice.html).toContain('There are rules of these already');
  const which = new URLSearchParams({ scope: 'target', name: 'db/*' });
  expect((await page(`/automation/rules/edit?${which}`, 'admin')).html).toContain('reboot');
  expect((await send('/automation/rules/edit', { ...fields, maxPerHour: '4' }, 'admin')).status).toBe(303);
  const unknown = await send('/automation/rules/new', { scope: 'team', name: 'nobody' }, 'admin');
  expect(unknown.html).toContain('there is no team &#x27;nobody&#x27;.');
  await send('/automation/rules/delete', { scope: 'target', name: 'db/*' }, 'admin');
  expect((await page('/automation', 'admin')).html).not.toContain('Targets db/*');
  expect(problems).toEqual([]);
});
