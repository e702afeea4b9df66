import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApi, type TestApi } from '../../test/harness/api.ts';

let api: TestApi;
let ana: { userId: string; token: string };
beforeAll(async () => {
  api = await createTestApi();
  ana = await api.addPerson('ana@example.com', 'operator');
  await api.addPerson('ben@example.com', 'operator');
  const rotation = {
    name: 'primary',
    participants: [['ana@example.com'], ['ben@example.com']],
    turn: { unit: 'day' },
    startsAt: '2020-06-01T09:00',
  };
  for (const name of ['payments', 'web']) {
    const body = { timeZone: 'Europe/Berlin', rotations: [rotation] };
    await api.ask('PUT', `/api/v1/on-call-schedules/${name}`, { token: api.tokens.admin, body });
  }
});
afterAll(() => api?.close());

const feeds = '/api/v1/on-call-schedules/payments/calendar-feeds';
const pathOf = (url: string) => new URL(url).pathname;
/** Each event's lines by name, unfolded (RFC 5545, 3.1). */
function events(text: string): Map<string, string>[] {
  return text
    .replaceAll('\r\n ', '')
    .split('BEGIN:VEVENT')
    .slice(1)
    .map(
      (event) =>
        new Map(
          event.split('\r\n').map((line) => [line.split(/[:;]/)[0]!, line.slice(line.indexOf(':') + 1)]),
        ),
    );
}

it('gives a schedule as iCalendar to whoever has the link, until it is revoked', async () => {
  const made = await api.ask('POST', feeds, { token: ana.token });
  expect(made.status).toBe(201);
  expect(made.body.url).toMatch(/^http:\/\/holdfast\.example\/calendar\/hfc_[\w-]+\.ics$/);
  const answer = await api.ask('GET', pathOf(made.body.url));
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/calendar; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('private, no-cache');
  const shifts = events(answer.body);
  // 30 days back and 90 ahead, cut at both ends
  expect(shifts.length).toBe(121);
  expect(new Set(shifts.map((shift) => shift.get('UID'))).size).toBe(121);
  expect(shifts[1]!.get('DTSTART')).toMatch(/^\d{8}T0[78]0000Z$/);
  expect(new Set(shifts.map((shift) => shift.get('SUMMARY')))).toEqual(
    new Set(['ana@example.com: payments', 'ben@example.com: payments']),
  );

  const again = await api.ask('GET', pathOf(made.body.url), {
    // fetch would ask not to be answered from a cache
    headers: { 'If-None-Match': answer.headers.get('etag')!, 'Cache-Control': 'max-age=0' },
  });
  expect(again.status).toBe(304);

  const list = await api.ask('GET', feeds, { token: ana.token });
  expect(list.body.items).toEqual([
    { id: made.body.id, createdBy: 'ana@example.com', createdAt: expect.any(String) },
  ]);
  expect((await api.ask('DELETE', `${feeds}/${made.body.id}`, { token: ana.token })).status).toBe(204);
  expect((await api.ask('DELETE', `${feeds}/${made.body.id}`, { token: ana.token })).status).toBe(404);
  expect((await api.ask('GET', pathOf(made.body.url))).status).toBe(404);
  const { rows } = await api.fixture.owner.query(
    `select action, data from audit_log where action like 'calendar-feed.%' order by id`,
  );
  expect(rows).toEqual([
    { action: 'calendar-feed.created', data: { id: made.body.id } },
    { action: 'calendar-feed.revoked', data: { id: made.body.id } },
  ]);
});

it('gives a person their own shifts of all schedules, while they may sign in', async () => {
  const made = await api.ask('POST', '/api/v1/me/calendar-feeds', { token: ana.token });
  const summaries = async () =>
    new Set(events((await api.ask('GET', pathOf(made.body.url))).body).map((one) => one.get('SUMMARY')));
  expect(await summaries()).toEqual(new Set(['On call: payments', 'On call: web']));
  // another's links are not theirs to see or revoke
  const others = await api.ask('GET', '/api/v1/me/calendar-feeds', { token: api.tokens.owner });
  expect(others.body.items).toEqual([]);
  const path = `/api/v1/me/calendar-feeds/${made.body.id}`;
  expect((await api.ask('DELETE', path, { token: api.tokens.owner })).status).toBe(404);

  await api.fixture.owner.query('update users set disabled_at = now() where id = $1', [ana.userId]);
  expect((await api.ask('GET', pathOf(made.body.url))).status).toBe(404);
  await api.fixture.owner.query('update users set disabled_at = null');
});

it('takes nothing of a name for a property of the calendar', async () => {
  await api.fixture.owner.query('update users set name = $1 where id = $2', [
    'Ana\r\nATTACH:https://evil.example/\rX:1',
    ana.userId,
  ]);
  const made = await api.ask('POST', '/api/v1/me/calendar-feeds', { token: ana.token });
  const { body } = await api.ask('GET', pathOf(made.body.url));
  expect(body).toContain('X-WR-CALNAME:On call: Ana');
  expect(body).not.toMatch(/^(ATTACH|X:)/m);
});

it('needs an Operator for the link of a schedule, and a schedule', async () => {
  expect((await api.ask('POST', feeds, { token: api.tokens.viewer })).status).toBe(403);
  const none = '/api/v1/on-call-schedules/none/calendar-feeds';
  expect((await api.ask('POST', none, { token: ana.token })).status).toBe(404);
});

it('lets no link be guessed', async () => {
  let answer = await api.ask('GET', '/calendar/hfc_guess.ics');
  expect(answer.status).toBe(404);
  for (let asked = 0; asked < 200 && answer.status === 404; asked++) {
    answer = await api.ask('GET', '/calendar/hfc_guess.ics');
  }
  expect(answer.status).toBe(429);
});
