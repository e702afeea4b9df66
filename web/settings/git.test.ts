import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findWebhookSource, recordGitFailure, recordImport } from '../../db/git-sources.ts';
import type { Commit } from '../../domain/runbook-import/commit.ts';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { type Browser, looksWell, startBrowser } from '../../test/harness/browser.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createFakeGitSchedules } from '../../test/harness/git-schedules.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { gitValues, newGitValues, postedGit, readGit } from './git-form.ts';

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
let browser: Browser;
const errors: unknown[] = [];
const gitSchedules = createFakeGitSchedules();

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  web = await serveWeb(database.db, {
    gitSchedules,
    logError: (error) => errors.push(error),
  });
  browser = await startBrowser(errors);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await web?.close();
  await database?.close();
});

const commit = (id: string, subject: string): Commit => ({
  id: id.repeat(40),
  author: 'Ana <b>Núñez</b>',
  authorEmail: 'ana@example.com',
  committedAt: new Date(Date.now() - 600_000).toISOString(),
  subject,
});
const write = <T>(work: Parameters<typeof database.db.write<T>>[1]) =>
  database.db.write({ orgId: database.orgId }, work);

it('an Admin adds a source, sees the secret once, sees what is wrong with a push, and removes it', {
  timeout: 120_000,
}, async (context) => {
  const page = await browser.openTab(context, { session: night.session, base: web.base });
  const text = () => page.locator('main').innerText();
  const look = async () => {
    await looksWell(page);
    await page.setViewportSize({ width: 1280, height: 900 });
  };

  await page.goto(`${web.base}/settings/git-sources`);
  expect(await text()).toContain('Runbooks come from the folder alone');
  await look();
  await page.getByRole('link', { name: 'New source' }).click();
  await page.getByLabel('Repository').fill('https://ana:hunter2@git.example.com/acme/runbooks.git');
  await page.getByLabel('Credential').fill('hunter2');
  await page.getByLabel('Look every').fill('1s');
  await page.getByRole('button', { name: 'Add source' }).click();
  expect(await text()).toContain('Take the password out of the URL');
  expect(await text()).toContain('never the secret');
  expect(await text()).toContain('Write a time between 1m and 1d');
  await look();
  await page
    .getByLabel('Repository')
    .fill('https://git.example.com/a-group-with-a-rather-long-name/and-another/runbooks-of-production.git');
  await page.getByLabel('Credential').fill('env:GIT_TOKEN');
  await page.getByLabel('Environment').fill('production');
  await page.getByLabel('Look every').fill('10m');
  await page.getByRole('button', { name: 'Add source' }).click();

  const secret = (await page.locator('.notice pre').innerText()).trim();
  const address = (await page.locator('#webhook pre').innerText()).trim();
  const id = /git-sources\/(.+)\/webhook$/.exec(address)?.[1] ?? '';
  expect((await database.db.unscoped((tx) => findWebhookSource(tx, id)))?.webhookSecret).toBe(secret);
  expect(gitSchedules.kept.get(id)).toBe(600_000);
  expect(gitSchedules.synced).toEqual([id]);
  await page.goto(`${web.base}/settings/git-sources/${id}`);
  expect(await page.content()).not.toContain(secret);
  expect(await text()).toContain('has not been read yet');
  await look();

  const { orgId } = database;
  await write((tx) =>
    recordImport(tx, {
      orgId,
      sourceId: id,
      commit: commit('a', 'Restart the pool before its leader'),
      status: 'imported',
      changes: { added: ['production:restart-pool'], changed: [], removed: [] },
    }),
  );
  await write((tx) =>
    recordImport(tx, {
      orgId,
      sourceId: id,
      commit: commit('b', '<script>alert(1)</script>'),
      status: 'refused',
      problems: [
        {
          file: 'ops/restart.yaml',
          line: 4,
          col: 20,
          message: 'a variable inside double quotes; take the quotes away',
        },
        { file: `${'very-'.repeat(30)}long.yaml`, line: 1, col: 1, message: "'name' is missing; add it" },
      ],
    }),
  );
  await page.reload();
  expect(await text()).toContain(
    'The newest push, commit bbbbbbbbbb by Ana <b>Núñez</b>, was refused: 2 problems.',
  );
  expect(await text()).toContain('The runbooks of commit aaaaaaaaaa go on to hold.');
  expect(await text()).toContain('ops/restart.yaml:4:20');
  expect(await text()).toContain('added production:restart-pool');
  await look();
  await write((tx) => recordGitFailure(tx, { id, error: 'the host does not answer' }));
  await page.getByRole('button', { name: 'Sync now' }).click();
  expect(await text()).toContain('The branch is being read');
  expect(await text()).toContain('could not be read: the host does not answer.');
  expect(gitSchedules.synced).toEqual([id, id]);
  await page.goto(`${web.base}/settings/git-sources`);
  expect(await text()).toMatch(/Cannot be read[\s\S]*production/);
  await look();

  await page.goto(`${web.base}/settings/git-sources/${id}`);
  await page.getByRole('button', { name: 'Make a new secret' }).click();
  expect((await page.locator('.notice pre').innerText()).trim()).not.toBe(secret);
  await page.getByRole('link', { name: 'Change', exact: true }).click();
  await look();
  await page.getByLabel('Branch').fill('release');
  await page.getByRole('button', { name: 'Save source' }).click();
  expect(await text()).toContain('branch release');
  await page.getByRole('link', { name: 'Change', exact: true }).click();
  await page.getByText('Remove this source').click();
  await page.getByRole('button', { name: 'Remove source and runbooks' }).click();
  expect(await text()).toContain('Runbooks come from the folder alone');
  expect(gitSchedules.kept.size).toBe(0);
  await page.close();
  expect(errors).toEqual([]);
});

describe('the form of a Git source', () => {
  const values = { ...newGitValues, url: 'git@git.example.com:acme/runbooks.git' };

  it('gives back what it read, so that saving without a change changes nothing', () => {
    const read = readGit(postedGit({ ...values, path: 'ops/', environment: 'eu', credential: 'file:key' }));
    if (!('settings' in read)) throw new Error(JSON.stringify(read));
    expect(read).toEqual({
      settings: {
        url: 'git@git.example.com:acme/runbooks.git',
        branch: 'main',
        path: 'ops',
        credential: 'file:key',
        intervalMs: 300_000,
      },
      environment: 'eu',
    });
    for (const intervalMs of [60_000, 90_000, 300_000, 5_400_000, 86_400_000]) {
      const settings = { ...read.settings, intervalMs };
      expect(readGit(gitValues({ ...settings, environment: 'eu' }))).toEqual({ settings, environment: 'eu' });
    }
  });

  it('puts each problem beside its field', () => {
    const read = readGit({
      ...values,
      url: 'x',
      branch: '-b',
      path: '../a',
      credential: 'secret',
      interval: 'often',
    });
    expect(Object.keys('problems' in read ? read.problems : {}).sort()).toEqual([
      'branch',
      'credential',
      'interval',
      'path',
      'url',
    ]);
  });
});
