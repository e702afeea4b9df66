import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listChangeSources } from '../../db/change-sources.ts';
import { recordChange } from '../../db/changes.ts';
import { listChanges } from '../../db/changes-read.ts';
import { readCorrelationContext } from '../../db/correlation-context.ts';
import { saveRunbook } from '../../db/runbooks.ts';
import { parseRunbook } from '../../domain/runbook/parse.ts';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { type Browser, looksWell, startBrowser } from '../../test/harness/browser.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeMessages } from '../../test/harness/messages.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import type { Skipping } from '../../test/parts/part.ts';
import { emptyChange, readChange } from './form.ts';
import { changesUrl, parseChangeQuery, servicesView } from './list-view.ts';

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
let browser: Browser;
let deployed: number;
const errors: unknown[] = [];
const messages = createFakeMessages();

const write = <T>(work: Parameters<typeof database.db.write<T>>[1]) =>
  database.db.write({ orgId: database.orgId }, work);

const runbook = `name: roll-back-deployment
tags: [rollback]
inputs: {service: {}, version: {}}
steps: [{name: A, command: [ls]}]
`;

beforeAll(async () => {
  database = await createTestDatabase();
  const { orgId } = database;
  night = await seedBadNight(database.owner, orgId, Date.now());
  const parsed = parseRunbook(runbook, 'r.yaml');
  if ('problems' in parsed) throw new Error('broken');
  const { definition } = parsed;
  await write((tx) => saveRunbook(tx, { orgId, file: 'r.yaml', source: runbook, definition }));
  const origin = { source: 'github', sourceId: null, teamId: null } as const;
  const context = await write(readCorrelationContext);
  for (const [index, version] of ['v1', 'v2'].entries()) {
    const { id } = await write((tx) =>
      recordChange(tx, {
        orgId,
        origin,
        context,
        report: {
          externalId: version,
          type: 'deployment',
          status: 'succeeded',
          service: 'ledger',
          environment: 'production',
          title: 'Deploy <b>ledger</b> 🔥',
          version,
          previousVersion: null,
          author: 'ana@example.com',
          url: 'https://github.com/acme/ledger',
          at: Date.now() - (30 - index) * 60_000,
          begins: false,
          data: { Commit: 'f'.repeat(40) },
        },
      }),
    );
    deployed = id;
  }
  const { rows } = await database.owner.query<{ id: string }>('select id from incidents where number = $1', [
    night.worstIncident,
  ]);
  await database.owner.query(
    `insert into incident_changes (org_id, incident_id, change_id, score, reasons) values ($1, $2, $3, 0.85, '["it changed ledger itself"]')`,
    [orgId, rows[0]?.id, deployed],
  );
  web = await serveWeb(database.db, { messages, logError: (error) => errors.push(error) });
  browser = await startBrowser(errors);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await web?.close();
  await database?.close();
});

const openTab = (context: Skipping): Promise<Page> =>
  browser.openTab(context, { session: night.session, base: web.base });

it('pages of changes look well at desk and phone size', async (context) => {
  const page = await openTab(context);
  for (const path of [
    '/changes?service=nothing',
    `/changes/${deployed}`,
    '/settings/change-sources/new?kind=jenkins',
  ]) {
    expect((await page.goto(web.base + path))?.status()).toBe(200);
    await looksWell(page);
  }
  for (const path of ['/changes/999999', '/changes/x', '/changes?cursor=nonsense']) {
    expect((await page.goto(web.base + path))?.status()).toBe(404);
  }
  await page.close();
  expect(errors).toEqual([]);
}, 120_000);

it('a change says what it was, and opens the runbook that takes it back filled in', async (context) => {
  const page = await openTab(context);
  await page.goto(`${web.base}/changes/${deployed}`);
  expect(await page.textContent('h1')).toBe('ledger v1 → v2');
  expect(await page.textContent('.sentence')).toBe(
    'Deployment in production by Ana Kovač: Deploy <b>ledger</b> 🔥; it succeeded. It may be behind #200: nobody has said yet.',
  );
  await page.getByRole('link', { name: 'Open with these inputs' }).click();
  expect(new URL(page.url()).pathname).toBe('/runbooks/roll-back-deployment');
  expect(await page.inputValue('[name="input.service"]')).toBe('ledger');
  expect(await page.inputValue('[name="input.version"]')).toBe('v1');
  expect(await page.inputValue('[name="environment"]')).toBe('production');
  expect(await page.inputValue('[name="incident"]')).toBe('200');
  await page.close();
});

it("a person's verdict is a message to the incident and leads back to the change", async (context) => {
  const page = await openTab(context);
  await page.goto(`${web.base}/changes/${deployed}`);
  await page.getByRole('button', { name: 'It was this' }).click();
  expect(new URL(page.url()).pathname).toBe(`/changes/${deployed}`);
  expect(messages.sent).toEqual([
    {
      method: 'judgeChange',
      args: [
        database.orgId,
        200,
        {
          actor: { name: 'ana@example.com', via: 'page' },
          asOf: expect.any(Number),
          changeId: deployed,
          verdict: 'confirmed',
        },
      ],
    },
  ]);
  await page.close();
});

it('a change by hand is written down, and what is wrong stands beside its field', async (context) => {
  const page = await openTab(context);
  await page.goto(`${web.base}/changes/new`);
  await page.getByLabel('When').fill('yesterday');
  await page.getByRole('button', { name: 'Write it down' }).click();
  expect(await page.textContent('#field-title-problem')).toBe('Say what changed: a title or a service.');
  expect(await page.textContent('#field-at-problem')).toContain('15m');
  await page.getByLabel('What changed').fill('Raised the limit');
  await page.getByLabel('When').fill('20m');
  await page.getByRole('button', { name: 'Write it down' }).click();
  expect(await page.textContent('h1')).toBe('Raised the limit');
  const { items } = await write((tx) => listChanges(tx, { source: ['manual'], limit: 1 }));
  expect(items[0]).toMatchObject({ title: 'Raised the limit', author: 'ana@example.com' });
  expect(Date.now() - items[0]!.at.getTime()).toBeGreaterThan(19 * 60_000);
  await page.close();
});

it('a source is added with its secret shown once, changed, and removed', async (context) => {
  const page = await openTab(context);
  await page.goto(`${web.base}/settings/change-sources/new?kind=jenkins`);
  await page.getByLabel('Name').fill('Jenkins of acme');
  await page.getByLabel('Services').fill('deploy-shop payments');
  await page.getByRole('button', { name: 'Add source' }).click();
  expect(await page.textContent('#field-services-problem')).toContain("Write 'from = to'");
  await page.getByLabel('Services').fill('deploy-shop = payments');
  await page.getByRole('button', { name: 'Add source' }).click();
  expect(await page.textContent('.notice')).toMatch(/[0-9a-f]{64}/);
  await looksWell(page);
  await page.getByRole('link', { name: 'Change', exact: true }).click();
  expect(await page.inputValue('[name="services"]')).toBe('deploy-shop = payments');
  await page.getByLabel('Environment').fill('production');
  await database.owner.query(`insert into teams (org_id, slug, name) values ($1, 'money', 'Money')`, [
    database.orgId,
  ]);
  await page.reload();
  await page.getByLabel('Team').selectOption('money');
  await page.getByRole('button', { name: 'Save source' }).click();
  expect(await write(listChangeSources)).toMatchObject([{ name: 'Jenkins of acme', team: 'money' }]);
  expect(await page.content()).not.toMatch(/[0-9a-f]{64}/);
  await page.getByRole('link', { name: 'Change', exact: true }).click();
  await page.getByText('Remove this source').click();
  await page.getByRole('button', { name: 'Remove source' }).click();
  expect(new URL(page.url()).pathname).toBe('/settings/change-sources');
  expect(await page.content()).not.toContain('Jenkins of acme');
  await page.close();
});

describe('views', () => {
  it('read the address leniently and write it shortly', () => {
    const query = parseChangeQuery({ window: 'constructor', type: 'party', service: ['a'], risky: 'true' });
    expect(query).toMatchObject({ window: '7d', type: null, service: '', risky: true });
    expect(changesUrl(query, { service: 'a b', cursor: 'c' })).toBe(
      '/changes?risky=true&service=a+b&cursor=c',
    );
    expect(changesUrl({ ...query, cursor: 'c' }, { risky: false })).toBe('/changes');
  });

  it('draw bars as long as the most changed service, failed ones at the end', () => {
    const { rows } = servicesView(parseChangeQuery({}), [
      { service: 'a', changes: 8, failed: 2, confirmed: 1 },
      { service: null, changes: 2, failed: 0, confirmed: 0 },
    ]);
    expect(rows).toMatchObject([
      { service: 'a', well: 150, badly: 50, failedPart: '25 %', href: '/changes?service=a' },
      { service: 'No service named', well: 50, badly: 0 },
    ]);
  });

  it('take a form’s times as people write them', () => {
    const at = (text: string) => readChange({ ...emptyChange, title: 'x', at: text }, 1_000_000_000);
    expect(at('')).toMatchObject({ change: { title: 'x' } });
    expect(at('15m')).toMatchObject({ change: { at: new Date(1_000_000_000 - 900_000).toISOString() } });
    expect(at('2026-11-21T02:14:00+01:00')).toMatchObject({ change: { at: '2026-11-21T02:14:00+01:00' } });
    expect(at('soon')).toHaveProperty('problems.at');
  });
});
