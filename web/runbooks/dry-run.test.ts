import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { saveRunbook } from '../../db/runbooks.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { seriousFaults } from '../../test/harness/axe.ts';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { type Browser, startBrowser } from '../../test/harness/browser.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import type { Skipping } from '../../test/parts/part.ts';
import { TemporalUnavailableError } from '../../workflows/messages-client.ts';

const name = 'fail-over-the-primary-database-of-the-checkout-service';
const source = `
name: ${name}
description: Move the writes to the replica.
inputs:
  cluster: { description: Of the database. }
  hard: { type: boolean, default: "false" }
  password: { secret: true, required: false }
execution: { mode: semi_auto, approvals: 2, approver_role: admin, target: "{{cluster}}" }
steps:
  - name: Stop the writes, and wait until everything that was under way has ended
    command: 'systemctl stop writer@{{cluster}}.service && while pgrep -f writer-{{cluster}}; do sleep 1; done; echo {{password}}'
    rollback: ["systemctl", "start", "writer@{{cluster}}.service"]
  - name: Power off
    condition: { variable: hard, equals: "true" }
    command: [ipmitool, chassis, power, "off"]
  - name: Promote the replica
    runner: datacentre-east
    url: https://{{cluster}}.databases.example.com/v1/clusters/promote
    method: POST
    body: { cluster: "{{cluster}}", confirm: true, note: "${'because-the-primary-does-not-answer-'.repeat(4)}" }
`;

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
let browser: Browser;
let away = false;
const problems: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  const parsed = parseRunbook(source, 'fail-over.yaml');
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { definition } = parsed;
  const { orgId } = database;
  await database.db.write({ orgId }, (tx) =>
    saveRunbook(tx, { orgId, file: 'fail-over.yaml', source, definition }),
  );
  web = await serveWeb(database.db, {
    messages: {
      ...createFakeMessages(),
      dryRun: async (_orgId, checks) => {
        if (away) throw new TemporalUnavailableError('Temporal does not answer');
        return checks.map(({ phase, runner }) =>
          runner
            ? [
                {
                  ok: false,
                  what: 'runner',
                  detail: `no runner polls ${runner.name}, it has never been seen; start one with that queue`,
                },
              ]
            : [
                { ok: true, what: 'program systemctl', detail: '/usr/bin/systemctl' },
                ...(phase === 'step'
                  ? [
                      {
                        ok: true,
                        what: 'input password',
                        detail: 'checked without the secret that was given',
                      },
                    ]
                  : []),
              ],
        );
      },
    },
    logError: (error) => problems.push(error),
  });
  browser = await startBrowser(problems);
});

afterAll(async () => {
  await browser?.close();
  await web?.close();
  await database?.close();
});

const openTab = (context: Skipping): Promise<Page> =>
  browser.openTab(context, { session: night.session, base: web.base });

/** At desk and phone size, light and dark: nothing sticks out, axe finds no serious fault. */
async function look(page: Page): Promise<void> {
  for (const [width, colorScheme] of [
    [1280, 'light'],
    [390, 'dark'],
    [390, 'light'],
    [1280, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    const faults = await seriousFaults(page);
    expect(faults).toEqual([]);
    const folder = process.env.SCREENSHOTS;
    if (folder) {
      const heading = (await page.locator('h1 + *').innerText()).slice(0, 12).replaceAll(/\W/g, '');
      await page.screenshot({
        path: `${folder}/dry-run-${heading}-${width}-${colorScheme}.png`,
        fullPage: true,
      });
    }
  }
}

const path = () => `${web.base}/runbooks/${name}/dry-run`;

test('the form leads to what would run, what was found, and to running it', async (context) => {
  const page = await openTab(context);
  await page.goto(path());
  await look(page);
  await page.getByLabel('cluster').fill('checkout');
  await page.getByLabel('password').fill('very-secret');
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page.getByRole('heading', { name: 'Run it now' }).waitFor();
  await look(page);
  const text = await page.locator('main').innerText();
  expect(text).toContain('Not ready');
  expect(text).toContain('no runner polls datacentre-east');
  expect(text).toContain('systemctl stop');
  expect(text).toMatch(/Skipped\s+only if hard is 'true' \(it is 'false'\)/);
  expect(text).toContain('2 approvals by admin or above');
  expect(await page.content()).not.toContain('very-secret');
  await page.locator('#run-password').fill('very-secret');
  await page.getByRole('button', { name: 'Run it now' }).click();
  await page.waitForURL('**/executions/*');
  const { rows } = await database.owner.query(
    `select target, layout->'scopes'->0->'values' as values from executions where runbook = $1`,
    [name],
  );
  expect(rows).toMatchObject([
    { target: 'checkout', values: { cluster: 'checkout', password: 'very-secret' } },
  ]);
  await page.close();
  expect(problems.splice(0)).toEqual([]);
});

test('a rule that says no stands on top; wrong inputs and Temporal being away stand in the form', async (context) => {
  const page = await openTab(context);
  const tryIt = async () => {
    await page.goto(path());
    await page.getByLabel('cluster').fill('orders');
    await page.getByRole('button', { name: 'Dry run' }).click();
    await page.waitForLoadState();
  };
  await database.owner.query(
    `insert into automation_stops (org_id, stopped_by, reason) values ($1, 'ana@example.com', 'bad night')`,
    [database.orgId],
  );
  await tryIt();
  expect(await page.getByRole('alert').innerText()).toMatch(/rules of safety say no[\s\S]*bad night/);
  await look(page);
  await database.owner.query(`delete from automation_stops`);
  away = true;
  await tryIt();
  away = false;
  expect(await page.getByRole('alert').innerText()).toContain('Temporal does not answer');
  expect(await page.getByLabel('cluster').inputValue()).toBe('orders');
  await page.goto(path());
  await page.getByLabel('cluster').fill('-rf');
  await page.getByRole('button', { name: 'Dry run' }).click();
  expect(await page.getByRole('alert').innerText()).toContain("'-rf' begins with '-'");
  await page.close();
  expect(problems.splice(0)).toEqual([]);
});
