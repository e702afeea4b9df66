import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logSourceDefinition } from '../../domain/logs/log-source.ts';
import { type BadNight, seedBadNight } from '../../test/harness/bad-night.ts';
import { type Browser, looksWell, startBrowser } from '../../test/harness/browser.ts';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { createTestLogDesk } from '../../test/harness/log-desk.ts';
import { type LokiDouble, startLokiDouble } from '../../test/harness/loki-double.ts';
import { serveWeb, type TestWeb } from '../../test/harness/web.ts';
import { logSourceValues, postedLogSource, readLogSource } from './log-source-form.ts';
import { logTemplateValues, postedLogTemplate, readLogTemplate } from './log-template-form.ts';

let database: TestDatabase;
let night: BadNight;
let web: TestWeb;
let loki: LokiDouble;
let browser: Browser;
const errors: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  await database.owner.query('delete from log_sources; delete from log_templates');
  loki = await startLokiDouble();
  web = await serveWeb(database.db, {
    logDesk: createTestLogDesk(database.db),
    logError: (error) => errors.push(error),
  });
  browser = await startBrowser(errors);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await web?.close();
  await loki?.close();
  await database?.close();
});

it('an Admin adds a source, asks it how it is, tries a template on an incident, and deletes both', {
  timeout: 120_000,
}, async (context) => {
  const page = await browser.openTab(context, { session: night.session, base: web.base });
  const text = () => page.locator('main').innerText();
  const look = async () => {
    await looksWell(page);
    await page.setViewportSize({ width: 1280, height: 900 });
  };

  await page.goto(`${web.base}/settings/log-sources`);
  expect(await text()).toContain('No source of your own yet');
  await look();
  await page.getByText('New source').click();
  await page.getByRole('link', { name: 'Loki' }).click();
  await page.getByLabel('Name', { exact: true }).fill('shop logs');
  await page.getByLabel('Address').fill('http://ana:hunter2@loki:3100');
  await page.getByLabel('Credential').fill('hunter2');
  await page.getByLabel('Fields').fill('servce = app');
  await page.getByRole('button', { name: 'Save source' }).click();
  for (const problem of [
    'Use letters, digits',
    'take the user and password out',
    'write a reference such as',
    "Write lines such as 'service",
  ]) {
    expect(await text()).toContain(problem);
  }
  await look();
  await page.getByLabel('Name', { exact: true }).fill('shop-logs');
  await page.getByLabel('Address').fill(loki.url);
  await page.getByLabel('Credential').fill('');
  await page.getByLabel('Fields').fill('service = service_name, app\nhost = node');
  await page.getByRole('button', { name: 'Save source' }).click();
  expect(await text()).toContain('Not asked yet');
  await page.getByRole('button', { name: 'Ask it now' }).click();
  expect(await text()).toContain('Answers');
  expect(await text()).toContain('0 stream labels in the last hours');
  loki.fail({ status: 503, body: 'ring is empty' });
  await page.getByRole('button', { name: 'Ask it now' }).click();
  expect(await text()).toContain('Loki answered 503: ring is empty');
  loki.fail(undefined);
  await look();

  await page.goto(`${web.base}/settings/log-templates/new`);
  await page.getByLabel('Name', { exact: true }).fill('time-outs');
  await page.getByLabel('Query').fill('{service_name="{{service}}"}');
  await page.getByRole('button', { name: 'Save template' }).click();
  expect(await text()).toContain('take away the quotes or slashes around it');
  await page.getByLabel('Query').fill('{service_name={{service}}} |= "timeout"');
  await page.getByRole('button', { name: 'Try it' }).click();
  expect(await text()).toContain('Write the number of an incident with alerts');
  const { rows } = await database.owner.query<{ number: number; at: Date }>(
    `update alerts a set labels = '{"service": "checkout"}' from incidents i
     where a.incident_id = i.id returning i.number, a.received_at as at`,
  );
  const [alert] = rows;
  loki.push({ service_name: 'checkout' }, [
    { at: alert!.at.getTime(), text: '<b>timeout</b> after 30 s' },
    { at: alert!.at.getTime(), text: 'something else' },
  ]);
  await page.getByLabel('Try it on incident').fill(`#${alert!.number}`);
  await page.getByRole('button', { name: 'Try it' }).click();
  expect(await text()).toContain('1 line in shop-logs');
  expect(await text()).toContain('<b>timeout</b> after 30 s');
  expect(await text()).not.toContain('something else');
  await look();
  await page.getByRole('button', { name: 'Save template' }).click();
  expect(await text()).toContain('The query template time-outs is saved');
  await look();

  await page.getByRole('link', { name: 'time-outs' }).click();
  await page.getByText('Delete this template').click();
  await page.getByRole('button', { name: 'Delete template' }).click();
  expect(await text()).toContain('The query template time-outs is deleted');
  await page.getByRole('link', { name: 'shop-logs' }).click();
  await page.getByText('Delete this source').click();
  await page.getByRole('button', { name: 'Delete source' }).click();
  expect(await text()).toContain('No source of your own yet');
  const audit = await database.owner.query(
    `select action from audit_log where subject like 'log-%' order by id`,
  );
  expect(audit.rows.map(({ action }) => action)).toEqual([
    'log-source.created',
    'log-source.probed',
    'log-source.probed',
    'log-template.created',
    'log-template.deleted',
    'log-source.deleted',
  ]);
  expect(errors).toEqual([]);
});

describe('the forms', () => {
  it('give back what they read, so that saving without a change changes nothing', () => {
    const definitions = [
      {
        kind: 'elasticsearch',
        url: 'https://es:9200',
        index: 'a,b*',
        credential: 'env:K',
        ca: 'file:ca',
        linkUrl: 'https://k/s/x',
      },
      {
        kind: 'loki',
        url: 'http://loki:3100',
        user: 'u',
        tenant: 't',
        datasource: 'P1',
        match: { severity: 'critical', service: 'a*' },
      },
      { kind: 'cloudwatch', region: 'eu-central-1', logGroups: ['/a', '/b'], timeoutSeconds: 20 },
      {
        kind: 'splunk',
        url: 'https://s:8089',
        index: 'main',
        fields: { service: ['svc', 'app'], level: ['sev'] },
      },
      { kind: 'builtin', match: { alert: 'X' } },
    ].map((one) => logSourceDefinition.parse(one));
    for (const definition of definitions) {
      expect(readLogSource(postedLogSource(logSourceValues('n', definition)))).toEqual({ definition });
    }
    const template = { kind: 'splunk', source: 's', match: { alert: 'A*' }, query: 'a={{service}}' } as const;
    expect(readLogTemplate(postedLogTemplate(logTemplateValues('n', template)))).toEqual({
      definition: template,
    });
  });

  it('leave out what another kind would have had', () => {
    const posted = {
      name: 'n',
      kind: 'builtin',
      url: 'http://x',
      region: 'eu-central-1',
      timeoutSeconds: '',
    };
    expect(readLogSource(postedLogSource(posted))).toEqual({
      definition: { kind: 'builtin', timeoutSeconds: 10 },
    });
  });
});
