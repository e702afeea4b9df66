import { afterAll, beforeAll, expect, it } from 'vitest';
import { createShare } from '../../db/shares.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';

let database: TestDatabase;
let web: TestWeb;
let link: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const { orgId } = database;
  const { rows } = await database.owner.query(
    `insert into incidents (org_id, number, title, status, severity, severity_rank, opened_at, last_alert_at)
     values ($1, 7, 'Down', 'investigating', 'high', 1, now(), now()) returning id, number`,
    [orgId],
  );
  web = await serveWeb(database.db, { logError: (error) => console.error(error) });
  const { token } = await database.db.write({ orgId }, (tx) =>
    createShare(tx, { orgId, incident: rows[0], actor: 'ana@example.com', forMs: 60_000 }),
  );
  link = `${web.base}/shared/${token}`;
});

afterAll(async () => {
  await web?.close();
  await database?.close();
});

const opened = async (): Promise<number> =>
  (await database.owner.query('select opened from incident_shares')).rows[0].opened;

it('counts who looks, and not what asks for the head alone', async () => {
  expect((await fetch(link, { method: 'HEAD' })).status).toBe(200);
  expect(await opened()).toBe(0);
  const page = await fetch(link);
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(await page.text()).toContain('<bdi>Down</bdi>');
  expect(await opened()).toBe(1);
});

it('lets one address ask so often, and no link be guessed', async () => {
  let answer = await fetch(`${web.base}/shared/hfv_guess`);
  expect(answer.status).toBe(410);
  for (let asked = 0; asked < 200 && answer.status === 410; asked += 1)
    answer = await fetch(`${web.base}/shared/hfv_guess`);
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await fetch(link)).status).toBe(429);
});
