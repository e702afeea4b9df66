import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRunnerToken } from '../../db/runners.ts';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { type Browser, startBrowser } from '../../test/harness/browser.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { runnerMark } from './runners.ts';

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
let browser: Browser;
const errors: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  await database.owner.query('delete from runners');
  web = await serveWeb(database.db, {
    logError: (error) => errors.push(error),
  });
  browser = await startBrowser(errors);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await web?.close();
  await database?.close();
});

it('an Admin makes a token, sees the command once, sees runners come and fall silent, and revokes', {
  timeout: 60_000,
}, async (context) => {
  const page = await browser.openTab(context, { session: night.session, base: web.base });
  await page.goto(`${web.base}/settings/runners`);
  expect(await page.locator('main').innerText()).toContain('No runner yet');
  // the tabs of settings stand in one line, also on its narrow pages
  for (const path of ['/settings/escalation-policies', '/settings/people', '/settings/runners']) {
    await page.goto(web.base + path);
    const lines = await page
      .locator('nav[aria-label="Settings"] a')
      .evaluateAll((tabs) => tabs.map((tab) => tab.getBoundingClientRect().top));
    expect(lines.length, path).toBeGreaterThan(10);
    expect(new Set(lines).size, path).toBe(1);
  }

  await page.getByLabel('Queue').fill('Edge Berlin');
  await page.getByRole('button', { name: 'Make a token' }).click();
  expect(await page.locator('main').innerText()).toMatch(/small letters, digits and hyphens/);
  expect(await page.getByLabel('Queue').inputValue()).toBe('Edge Berlin');
  await page.getByLabel('Queue').fill('edge-berlin');
  await page.getByLabel('Which machine').fill('rack 4 <b>');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const command = await page.locator('.notice pre').innerText();
  expect(command).toMatch(/npm run runner -- --queue edge-berlin$/);
  const token = /HOLDFAST_RUNNER_TOKEN=(\S+)/.exec(command)?.[1] ?? '';
  expect(await findRunnerToken(database.db, token)).toMatchObject({ queue: 'edge-berlin' });

  await page.goto(`${web.base}/settings/runners`);
  expect(await page.content()).not.toContain(token);
  expect(await page.locator('[data-live="runners"]').innerText()).toMatch(/edge-berlin\s+never seen/);
  await database.owner.query(
    `insert into runners (org_id, queue, instance, version, started_at, last_seen_at) values
       ($1, 'edge-berlin', 'edge-1 4711', '1.2.3', now() - interval '2 days', now() - interval '12 seconds'),
       ($1, 'edge-berlin', 'edge-2 12', '1.2.3', now() - interval '2 days', now() - interval '3 hours')`,
    [database.orgId],
  );
  await page.reload();
  const rows = await page.locator('[data-live="runners"] tbody tr').allInnerTexts();
  expect(rows[0]).toMatch(/seen \d+ s ago[\s\S]*edge-1 4711/);
  expect(rows[1]).toMatch(/silent for 3 h[\s\S]*edge-2 12/);

  await page.getByRole('button', { name: 'Revoke the token of edge-berlin for rack 4 <b>' }).click();
  expect(await page.locator('main').innerText()).toContain('The token is revoked.');
  expect(await findRunnerToken(database.db, token)).toBeUndefined();
  await page.close();
  expect(errors).toEqual([]);
});

describe('the state of a runner', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');
  const words = (past: number) => runnerMark({ lastSeenAt: new Date(now - past) }, now).word;

  it('says how long ago it was seen, and for how long it has been silent', () => {
    expect([0, 12_000, 44_000].map(words)).toEqual(['seen just now', 'seen 12 s ago', 'seen 44 s ago']);
    expect([50_000, 125_000, 3 * 3_600_000 + 60_000, 50 * 3_600_000].map(words)).toEqual([
      'silent for 50 s',
      'silent for 2 min',
      'silent for 3 h',
      'silent for 2 d',
    ]);
  });
});
