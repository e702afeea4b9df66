import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { asBody, carriedFields, formAddress } from './edited-form.ts';

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
const errors: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  web = await serveWeb(database.db, { logError: (error) => errors.push(error) });
});
afterAll(async () => {
  await web?.close();
  await database?.close();
  expect(errors).toEqual([]);
});

const headers = () => ({ cookie: `holdfast=${night.session}` });
const post = async (path: string, body: Record<string, string>) => {
  const answer = await fetch(web.base + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { ...headers(), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ _csrf: night.csrfToken, ...body }).toString(),
  });
  return { status: answer.status, html: await answer.text() };
};

const back = '/settings/escalation-policies/new';
const policy = {
  name: 'night',
  'after.0': '0s',
  'who.0.0': 'email',
  'address.0.0': 'first@example.com',
  'after.1': '20m',
  'who.1.0': 'email',
  'address.1.0': 'second@example.com',
  service: 'payment-*',
  repeats: '0',
};

test('a policy is rehearsed as edited, from its form and back, and is not saved', async () => {
  const { status, html } = await post(`/rehearsal/policy?back=${encodeURIComponent(back)}`, policy);
  expect(status).toBe(200);
  expect(html).toContain('Rehearsal: <bdi>night</bdi>');
  expect(html).toContain('class="rehearsal-chart"');
  // the situation that is tried first is one that the policy is for
  expect(html).toContain('first@example.com is paged first');
  expect(html).toContain('value="payment-1"');
  expect(html).toContain(`<form method="post" action="${back}"`);

  const carried = JSON.stringify(Object.entries(policy));
  const again = await post(`/rehearsal/policy?back=${encodeURIComponent(back)}`, {
    carried,
    do: 'situation',
    'situation.at': '2026-03-29 02:30 Europe/Berlin',
    'situation.severity': 'critical',
    'situation.service': 'payment-api',
    'situation.answerWhat': 'acknowledge',
    'situation.answerBy': 'ana@example.com',
    'situation.answerAfter': '25m',
  });
  expect(again.html).toContain('first@example.com is paged first, at once (mail)');
  expect(again.html).toContain('Sun 29 Mar 03:50:00');
  expect(again.html).toContain('level 2 of night');
  const other = { carried, 'situation.at': 'Sat 03:00', 'situation.severity': 'low' };
  expect((await post('/rehearsal/policy', other)).html).toContain(
    'goes by the policy default, and not by the one that is edited',
  );
  const { rows } = await database.owner.query(`select 1 from escalation_policies where name = 'night'`);
  expect(rows).toEqual([]);

  const form = await post(back, { ...policy, edit: 'show' });
  expect(form.html).toContain('first@example.com');
});

test.each([
  [
    'schedule',
    {
      name: 'primary',
      timeZone: 'Europe/Berlin',
      rotations: '1',
      'name.0': 'weekly',
      'participants.0': 'ana@example.com',
      'every.0': '1',
      'unit.0': 'week',
      'startsAt.0': '2026-01-05T09:00',
    },
  ],
  [
    'rule',
    {
      name: 'tell',
      triggers: 'incident.opened',
      'who.0': 'email',
      'address.0': 'lead@example.com',
      order: '10',
    },
  ],
  ['sla-policy', { name: 'fast', order: '1', acknowledgeWithin: '5m', resolveWithin: '1h' }],
])('the form of a %s is rehearsed as edited, too', async (kind, form) => {
  const { status, html } = await post(`/rehearsal/${kind}`, form);
  expect([status, /It cannot be rehearsed yet: .*/.exec(html)?.[0] ?? '']).toEqual([200, '']);
  expect(html).toContain('What would happen');
  if (kind === 'schedule') expect(html).toContain('which does not name this schedule');
  if (kind === 'rule') expect(html).toContain('lead@example.com');
  if (kind === 'sla-policy') expect(html).toContain('SLA <bdi>fast</bdi>');
});

test('a past week is rehearsed beside what it really was', async () => {
  const at = new Date(Date.now() - 8 * 86_400_000).toISOString();
  await database.owner.query('update incidents set opened_at = $1', [at]);
  const from = at.slice(0, 10);
  const { status, html } = await post('/rehearsal', { do: 'week', 'week.from': from });
  expect(status).toBe(200);
  expect(html).toContain('What the week would have been');
  expect(html).toMatch(/\d+ \w+ 00:00 – \d+ \w+ \d{4} 00:00 \(UTC\), /);
  expect(html).toContain('As many pages as it stands');
});

test('what cannot be rehearsed is said beside its field, and what was typed stays', async () => {
  const soon = await post('/rehearsal', {
    do: 'situation',
    'situation.at': 'soon',
    'situation.severity': 'low',
  });
  expect(soon.status).toBe(422);
  expect(soon.html).toContain('value="soon"');
  expect(soon.html).toContain('write a moment such as');
  const broken = await post('/rehearsal/policy', { ...policy, 'after.0': 'whenever' });
  expect(broken.status).toBe(422);
  expect(broken.html).toContain('It cannot be rehearsed yet: <bdi>Write a time such as 0s, 15m or 1h.</bdi>');
  expect((await post('/rehearsal/nothing', {})).status).toBe(404);
});

test('an incident that no policy would be for is said to tell nobody', async () => {
  await database.owner.query(`update escalation_policies set name = 'other' where name = 'default'`);
  const { status, html } = await post('/rehearsal', {
    do: 'situation',
    'situation.at': 'Sat 03:00',
    'situation.severity': 'low',
  });
  await database.owner.query(`update escalation_policies set name = 'default' where name = 'other'`);
  expect(status).toBe(422);
  expect(html).toContain('It cannot be rehearsed yet: <bdi>Nobody would be told of this incident');
  expect(html).toContain('value="Sat 03:00"');
});

test('carried fields keep repeated values, and nothing of the rehearsal itself', () => {
  const carried = carriedFields({
    _csrf: 'x',
    do: 'situation',
    'situation.at': 'x',
    name: 'a',
    on: ['1', '2'],
  });
  expect(asBody(carried)).toEqual({ name: 'a', on: ['1', '2'] });
  expect(carriedFields({ carried: JSON.stringify([['_csrf', 'x'], ['name', 'a'], 7]) })).toEqual([
    ['name', 'a'],
  ]);
  expect(carriedFields({ carried: '{' })).toEqual([]);
});

test.each([
  'https://evil.example/settings/x',
  '//evil.example',
  '/settings/../l/x?y',
  'javascript:1',
  undefined,
])('posts a form to no other address: %s', (address) => {
  expect(formAddress(address)).toBeNull();
});
