import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createUser } from '../db/identity.ts';
import { putOnCallSchedule, readScheduleFacts, readScheduleHealth } from '../db/oncall.ts';
import { onCallSchedule } from '../domain/oncall/schedule.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { createCalendarReader } from './calendars/reader.ts';
import { createCalendarActivities } from './calendars.ts';

const now = Date.parse('2026-06-03T12:00Z');
let database: TestDatabase;
let server: Server;
/** By path: what is answered. */
const answers = new Map<string, { status?: number; body?: string; location?: string }>();

beforeAll(async () => {
  database = await createTestDatabase();
  const { db, orgId } = database;
  await db.write({ orgId }, async (tx) => {
    for (const [email, name] of [
      ['ana@example.com', 'Ana Example'],
      ['ben@example.com', 'Ben Example'],
    ] as const) {
      await createUser(tx, { orgId, email, name, actor: 'test' });
    }
  });
  server = createServer((request, response) => {
    const { status = 200, body = '', location } = answers.get(request.url ?? '') ?? { status: 404 };
    response.writeHead(status, location === undefined ? {} : { location }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  answers.clear();
  await database.owner.query('delete from on_call_schedules');
});
afterAll(async () => {
  server?.close();
  await database?.close();
});

const addressOf = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

function calendar(...events: [summary: string, from: string, to: string][]): string {
  const lines = events.flatMap(([summary, from, to], index) => [
    'BEGIN:VEVENT',
    `UID:${index}`,
    `SUMMARY:${summary}`,
    `DTSTART:${from}`,
    `DTEND:${to}`,
    'END:VEVENT',
  ]);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

/** A schedule with one rotation for each address, named by its place. */
async function schedule(...urls: string[]): Promise<void> {
  const { db, orgId } = database;
  const definition = {
    ...onCallSchedule.parse({
      timeZone: 'UTC',
      rotations: urls.map((url, index) => ({
        name: `r${index}`,
        turn: { unit: 'week' },
        startsAt: '2026-01-01T00:00',
        calendar: { url },
      })),
    }),
    team: null,
  };
  await db.write({ orgId }, (tx) =>
    putOnCallSchedule(tx, { orgId, name: 'payments', definition, actor: 'ana@example.com' }),
  );
}

const readEvents = createCalendarReader();
const read = (egressAllow: string[] = []) =>
  createCalendarActivities({
    db: database.db,
    egressAllow,
    readEvents,
    clock: () => now,
  }).readOnCallCalendars({
    orgId: database.orgId,
  });
const inScope = <T>(work: Parameters<typeof database.db.read<T>>[1]) =>
  database.db.read({ orgId: database.orgId }, work);
const shifts = async () =>
  (await inScope((tx) => readScheduleFacts(tx, ['payments'], { from: now, to: now })))[0]!.calendarShifts.map(
    ({ rotation, person, from, to }) =>
      `${rotation} ${person} ${new Date(from).toISOString()} ${(to - from) / 3_600_000} h`,
  );
const health = async () => (await inScope((tx) => readScheduleHealth(tx, 'payments')))!.calendars;

it('makes shifts of events, and says which of them name nobody', async () => {
  answers.set('/team.ics', {
    body: calendar(
      ['ana@example.com', '20260603T090000Z', '20260603T170000Z'],
      ['ana@example.com', '20260603T160000Z', '20260603T200000Z'],
      ['Ben Example', '20260604T090000Z', '20260604T170000Z'],
      ['Public holiday', '20260605T000000Z', '20260606T000000Z'],
      ['ana@example.com', '20200101T000000Z', '20200102T000000Z'],
    ),
  });
  await schedule(addressOf('/team.ics'));
  expect(await read()).toEqual({ read: 1, failed: 0 });
  expect(await shifts()).toEqual([
    'r0 ana@example.com 2026-06-03T09:00:00.000Z 11 h',
    'r0 ben@example.com 2026-06-04T09:00:00.000Z 8 h',
  ]);
  expect(await health()).toMatchObject([
    { rotation: 'r0', error: null, shifts: 2, unmatched: ['Public holiday'], readAt: expect.any(Date) },
  ]);
});

it('keeps the shifts of a calendar that cannot be read, and says why', async () => {
  const body = calendar(['ana@example.com', '20260603T090000Z', '20260603T170000Z']);
  answers.set('/team.ics', { body });
  await schedule(addressOf('/team.ics'));
  await read();
  const before = await health();
  for (const [answer, reason] of [
    [{ status: 503 }, /HTTP 503/],
    [{ body: '<html>sign in</html>' }, /no iCalendar/],
    [{ body: `${body}${' '.repeat(2 * 1024 * 1024)}` }, /larger than 2 MB/],
    [{ status: 302, location: 'http://169.254.169.254/latest' }, /is in a private network/],
  ] as const) {
    answers.set('/team.ics', answer);
    expect(await read()).toEqual({ read: 0, failed: 1 });
    expect(await shifts()).toEqual(['r0 ana@example.com 2026-06-03T09:00:00.000Z 8 h']);
    expect(await health()).toMatchObject([
      { error: expect.stringMatching(reason), readAt: before[0]!.readAt, shifts: 1 },
    ]);
  }
});

it('follows a redirect to itself, and elsewhere only where that is public or listed', async () => {
  const body = calendar(['ana@example.com', '20260603T090000Z', '20260603T170000Z']);
  answers.set('/here.ics', { status: 302, location: '/there.ics' });
  answers.set('/there.ics', { body });
  answers.set('/round.ics', { status: 307, location: '/round.ics' });
  answers.set('/ftp.ics', { status: 301, location: 'ftp://example.com/' });
  await schedule(addressOf('/here.ics'));
  expect(await read()).toEqual({ read: 1, failed: 0 });
  let asked = 0;
  const other = createServer((_, response) => {
    asked += 1;
    response.end(body);
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const elsewhere = {
    '/address.ics': `http://127.0.0.1:${port}/?secret`,
    '/mapped.ics': `http://[::ffff:127.0.0.1]:${port}/`,
    '/name.ics': `http://localhost:${port}/`,
    '/metadata.ics': 'http://metadata.google.internal/',
    '/private.ics': 'http://10.1.2.3/',
  };
  for (const [path, location] of Object.entries(elsewhere)) answers.set(path, { status: 302, location });
  await schedule(...Object.keys(elsewhere).map(addressOf), addressOf('/round.ics'), addressOf('/ftp.ics'));
  try {
    expect(await read()).toEqual({ read: 0, failed: 7 });
    const errors = (await health()).map(({ error }) => error);
    expect(errors.slice(0, 5)).toEqual(
      Object.values(elsewhere).map((location) =>
        expect.stringContaining(`it redirects to ${new URL(location).host}, which is in a private network`),
      ),
    );
    expect(errors.slice(5)).toEqual([
      'it redirects more than 5 times',
      'it redirects from http:// to ftp://, which is not followed',
    ]);
    expect(JSON.stringify(errors)).not.toContain('secret');
    expect(asked).toBe(0);
    expect(await read(['localhost', '127.0.0.1'])).toEqual({ read: 3, failed: 4 });
    expect(asked).toBe(3);
  } finally {
    other.close();
  }
});

it('reads the others when one fails, and follows what the calendar says now', async () => {
  answers.set('/b.ics', { body: calendar(['ana@example.com', '20260603T090000Z', '20260603T170000Z']) });
  await schedule(addressOf('/gone.ics'), addressOf('/b.ics'));
  expect(await read()).toEqual({ read: 1, failed: 1 });
  expect(await shifts()).toEqual(['r1 ana@example.com 2026-06-03T09:00:00.000Z 8 h']);
  answers.set('/b.ics', { body: calendar(['ben@example.com', '20260603T090000Z', '20260603T170000Z']) });
  await read();
  expect(await shifts()).toEqual(['r1 ben@example.com 2026-06-03T09:00:00.000Z 8 h']);
  // another calendar: what the old one said is forgotten
  await schedule(addressOf('/b.ics'), addressOf('/c.ics'));
  expect(await shifts()).toEqual([]);
  expect(await health()).toMatchObject([{ checkedAt: null }, { checkedAt: null }]);
});

it('gives a calendar up that takes too long to read', async () => {
  const endless = ['DTSTART:20260101T000000Z', 'DTEND:20260101T010000Z', 'RRULE:FREQ=SECONDLY'];
  const reader = createCalendarReader({ work: 100, wait: 5_000 });
  const text = ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'UID:1', ...endless, 'END:VEVENT', 'END:VCALENDAR'].join(
    '\r\n',
  );
  const question = { text, timeZone: 'UTC', from: now, to: now + 86_400_000 };
  await expect(reader('org', question)).rejects.toThrow('it takes too long to read');
});
