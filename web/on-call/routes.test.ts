import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setMembership } from '../../db/identity.ts';
import { getOnCallSchedule } from '../../db/oncall.ts';
import { listOverrides } from '../../db/oncall-overrides.ts';
import { ensureOrganization } from '../../db/organizations.ts';
import type { Role } from '../../domain/roles.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let web: TestWeb;
let orgId: string;
const problems: unknown[] = [];
const sessions = new Map<Role, { token: string; csrfToken: string }>();

beforeAll(async () => {
  database = await createTestDatabase();
  ({ orgId } = await ensureOrganization(database.db, {
    slug: 'paged',
    name: 'Paged',
    ownerEmail: 'owner@example.com',
    ownerToken: 'hft_owner-token-of-the-tests',
  }));
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    const session = await signedIn(database.db, { orgId, email: `${role}@example.com`, role });
    sessions.set(role, session);
  }
  web = await serveWeb(database.db, { logError: (error) => problems.push(error) });
});
afterAll(async () => {
  expect(problems).toEqual([]);
  await web.close();
  await database.close();
});

async function ask(role: Role, path: string, form?: Record<string, string>) {
  const { token, csrfToken } = sessions.get(role)!;
  const answer = await fetch(web.base + path, {
    method: form ? 'POST' : 'GET',
    redirect: 'manual',
    headers: { Cookie: `holdfast=${token}` },
    ...(form ? { body: new URLSearchParams({ _csrf: csrfToken, ...form }) } : {}),
  });
  return { status: answer.status, location: answer.headers.get('location'), html: await answer.text() };
}

const form = {
  name: 'payments',
  timeZone: 'Europe/Berlin',
  team: '',
  rotations: '1',
  'name.0': 'primary',
  'participants.0': 'operator@example.com\nadmin@example.com',
  'every.0': '1',
  'unit.0': 'week',
  'startsAt.0': '2026-11-02T09:00',
  'priority.0': '0',
  do: 'save',
};

describe('the pages of on-call', () => {
  beforeEach(async () => {
    await ask('admin', '/on-call/payments/delete', {});
  });

  it('take no notice of times that are none', async () => {
    await ask('admin', '/on-call/new', form);
    for (const path of [
      '/on-call/payments?week=%2B275760-09-12',
      '/on-call/payments?week=9999-99-99',
      '/on-call/payments/overrides/new?from=1e20&to=1e300',
    ]) {
      expect({ path, status: (await ask('operator', path)).status }).toEqual({ path, status: 200 });
    }
    expect((await ask('operator', '/on-call/%00')).status).toBe(400);
  });

  it('make a schedule, show it, and change it', async () => {
    const made = await ask('admin', '/on-call/new', form);
    expect(made).toMatchObject({ status: 303, location: '/on-call/payments' });
    expect((await ask('viewer', '/on-call')).html).toContain('/on-call/payments');
    expect((await ask('operator', '/on-call')).html).toContain('Your next shifts');
    expect((await ask('viewer', '/on-call')).html).not.toContain('Your next shifts');
    const { html } = await ask('viewer', '/on-call/payments');
    expect(html).toContain('<svg class="on-call-chart"');
    expect(html).not.toContain('Take over a time');
    await ask('admin', '/on-call/payments/edit', { ...form, 'unit.0': 'day' });
    const stored = await database.db.read({ orgId }, (tx) => getOnCallSchedule(tx, 'payments'));
    expect(stored?.definition.rotations[0]?.turn.unit).toBe('day');
  });

  it('show what an edited schedule does before it is saved', async () => {
    const { status, html } = await ask('admin', '/on-call/new', { ...form, do: 'preview' });
    expect(status).toBe(200);
    expect(html).toContain('As it would be');
    expect(html).toContain('<svg class="on-call-chart"');
    expect(await database.db.read({ orgId }, (tx) => getOnCallSchedule(tx, 'payments'))).toBeUndefined();
  });

  it('name the field of somebody who is no user, and keep what was typed', async () => {
    const typed = { ...form, 'participants.0': 'nobody@example.com' };
    const { status, html } = await ask('admin', '/on-call/new', typed);
    expect(status).toBe(422);
    expect(html).toContain('nobody@example.com</textarea>');
    expect(html).toMatch(/there is no user .{1,10}nobody@example\.com/);
  });

  it('let Operators take over and give back, and nobody less', async () => {
    await ask('admin', '/on-call/new', form);
    const override = {
      person: 'operator@example.com',
      insteadOf: '',
      startsAt: '2030-01-07T09:00',
      endsAt: '2030-01-07T18:00',
      zone: 'Europe/Berlin',
      reason: 'Dentist',
    };
    const path = '/on-call/payments/overrides/new';
    expect((await ask('viewer', path, override)).status).toBe(403);
    expect((await ask('operator', path)).html).toContain('value="operator@example.com" selected');
    expect(await ask('operator', path, override)).toMatchObject({
      status: 303,
      location: '/on-call/payments',
    });
    const now = new Date();
    const list = () => database.db.read({ orgId }, (tx) => listOverrides(tx, { schedule: 'payments', now }));
    const [made] = await list();
    expect(made).toMatchObject({ startsAt: new Date('2030-01-07T08:00:00Z'), reason: 'Dentist' });
    await ask('operator', `/on-call/payments/overrides/${made!.id}/delete`, {});
    expect(await list()).toEqual([]);
  });

  it('show a new link to the calendar once, and list it until it is revoked', async () => {
    await ask('admin', '/on-call/new', form);
    const made = await ask('operator', '/on-call/payments/calendar-feeds', {});
    expect(made.html).toMatch(/\/calendar\/[\w-]+\.ics/);
    const { html } = await ask('operator', '/on-call/payments');
    expect(html).not.toContain('.ics');
    const revoke = /\/on-call\/payments\/calendar-feeds\/[\w-]+\/revoke/.exec(html)?.[0];
    await ask('operator', revoke!, {});
    expect((await ask('operator', '/on-call/payments')).html).not.toContain('/revoke');
    expect((await ask('viewer', '/on-call/payments/calendar-feeds', {})).status).toBe(403);
  });

  it('let Admins of a team make schedules for it, and for nobody else', async () => {
    await database.db.write({ orgId }, async (tx) => {
      const { id } = await tx
        .insertInto('teams')
        .values({ org_id: orgId, slug: 'db', name: 'Databases' })
        .returning('id')
        .executeTakeFirstOrThrow();
      const { id: userId } = await tx
        .selectFrom('users')
        .select('id')
        .where('email', '=', 'viewer@example.com')
        .executeTakeFirstOrThrow();
      await setMembership(tx, { orgId, userId, teamId: id, role: 'admin', actor: 'test' });
    });
    const { html } = await ask('viewer', '/on-call/new');
    expect(html).toContain('>Databases</option>');
    expect(html).not.toContain('The whole organization</option>');
    expect((await ask('viewer', '/on-call/new', form)).status).toBe(403);
    expect((await ask('viewer', '/on-call/new', { ...form, name: 'db', team: 'db' })).status).toBe(303);
    expect((await ask('operator', '/on-call/new')).status).toBe(403);
  });
});
