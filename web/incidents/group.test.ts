import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Role } from '../../domain/roles.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { signedIn } from '../../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { RefusedError } from '../../workflows/messages-client.ts';

let database: TestDatabase;
let web: TestWeb;
const messages = createFakeMessages();
const sessions: Partial<Record<Role, { token: string; csrfToken: string }>> = {};

beforeAll(async () => {
  database = await createTestDatabase();
  const { orgId } = database;
  for (const role of ['viewer', 'operator'] as const) {
    sessions[role] = await signedIn(database.db, { orgId, email: `${role}@example.com`, role });
  }
  for (const number of [1, 2, 3, 4])
    await database.owner.query(
      `insert into incidents (org_id, number, title, severity, severity_rank, alert_count, recorded_seq, merged_into)
       values ($1, $2, 'Checkout <fails>', 'high', 1, 2, 7, $3)`,
      [orgId, number, number === 4 ? 1 : null],
    );
  web = await serveWeb(database.db, { messages, logError: (error) => console.error(error) });
});
afterAll(async () => {
  await web?.close();
  await database?.close();
});
beforeEach(() => {
  messages.sent.length = 0;
});

const cookieOf = (role: Role) => ({ cookie: `holdfast=${sessions[role]!.token}` });

const flashOf = (answer: Response): string => {
  const [, value = ''] = /holdfast_flash=([^;]*)/.exec(answer.headers.getSetCookie().join()) ?? [];
  return Buffer.from(value, 'base64url').toString();
};

async function group(numbers: number[], role: Role = 'operator') {
  const body = new URLSearchParams([
    ['_csrf', sessions[role]!.csrfToken],
    ...numbers.map((number): [string, string] => ['number', String(number)]),
  ]);
  const sent = { method: 'POST', body, headers: cookieOf(role), redirect: 'manual' } as const;
  const answer = await fetch(`${web.base}/incidents/group`, sent);
  return {
    status: answer.status,
    location: answer.headers.get('location'),
    flash: flashOf(answer),
    html: await answer.text(),
  };
}

const ticks = (html: string) => [...html.matchAll(/name="number" value="(\d+)"( checked)?/g)];

it('shows what is still apart, to those who may act on it', async () => {
  const shown = async (role: Role) =>
    await (await fetch(`${web.base}/incidents/group`, { headers: cookieOf(role) })).text();
  const html = await shown('operator');
  expect(
    ticks(html)
      .map(([, number]) => Number(number))
      .sort(),
  ).toEqual([1, 2, 3]);
  expect(html).toContain('<bdi>Checkout &lt;fails&gt;</bdi>');
  expect(ticks(await shown('viewer'))).toEqual([]);
});

it('merges what is ticked into the one that was opened first, and leads there', async () => {
  expect(await group([3, 1, 2])).toMatchObject({ status: 303, location: '/incidents/1' });
  const by = { actor: { name: 'operator@example.com', via: 'page' }, asOf: 7 };
  expect(messages.sent).toEqual(
    [2, 3].map((number) => ({
      method: 'regroup',
      args: [database.orgId, number, { ...by, alertIds: null, into: 1 }],
    })),
  );
});

it('tells which was refused, and merges the others', async () => {
  messages.next(new RefusedError('it is being resolved'));
  const { status, flash } = await group([1, 2, 3]);
  expect(status).toBe(303);
  expect(flash).toContain('1 incident is merged into this one. #2: Refused: it is being resolved');
  expect(messages.sent.map(({ args }) => args[1])).toEqual([2, 3]);
});

it('wants two that are apart, and keeps what was ticked', async () => {
  const one = await group([2]);
  expect(one.status).toBe(422);
  expect(ticks(one.html).flatMap(([, number, checked]) => (checked ? [number] : []))).toEqual(['2']);
  expect((await group([1, 4])).html).toContain('Fewer than two of them are still apart.');
  expect((await group([1, 99])).status).toBe(404);
  expect((await group([1, 2], 'viewer')).status).toBe(403);
  expect(messages.sent).toEqual([]);
});
