import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { putEscalationPolicy } from '../db/policies.ts';
import type { EscalationPolicy } from '../domain/policies.ts';
import { type Browser, looksWell, startBrowser } from '../test/harness/browser.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { signedIn } from '../test/harness/signed-in.ts';
import { serveWeb, type TestWeb } from '../test/harness/web.ts';

/** How pages look on the first day, when there is nothing to show: each says so, and what to do about it. */

let database: TestDatabase;
let session: string;
let web: TestWeb;
let browser: Browser;
let tab: Page | undefined;
const problems: unknown[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  ({ token: session } = await signedIn(database.db, {
    orgId: database.orgId,
    email: 'ana@example.com',
    role: 'owner',
  }));
  web = await serveWeb(database.db, {
    mailbox: { list: async () => [], get: async () => undefined },
    logError: (error) => problems.push(error),
  });
  browser = await startBrowser(problems);
});
afterAll(async () => {
  await browser?.close();
  await web?.close();
  await database?.close();
});

const emptyPages: [path: string, says: string][] = [
  ['/incidents', 'No alert has arrived yet'],
  ['/incidents?q=zebra', 'No alert has arrived yet'],
  ['/approvals', 'Nothing waits for approval'],
  ['/approvals?status=all', 'Nothing has needed approval yet'],
  ['/runbooks', 'No runbook yet'],
  ['/executions', 'Nothing has run yet'],
  ['/automation', 'Nothing acts on anything now'],
  ['/on-call', 'No schedule yet'],
  ['/services', 'No service is known yet'],
  ['/topology', 'No call between services is known yet'],
  ['/changes', 'No change is known yet'],
  ['/changes/services', 'No service was changed'],
  ['/slos', 'No objectives yet'],
  ['/slos/new', 'New SLO'],
  ['/reports', 'No report yet'],
  ['/mailbox', 'No mail yet'],
  ['/notifications', 'Nothing was sent yet'],
  ['/notifications?status=failed', 'No message is like this'],
  ['/silences', 'Nothing is silenced'],
  ['/chat', 'Nothing was asked yet'],
  ['/chat?q=zebra', 'Nothing like that'],
  ['/chat/link/nonsense', 'This address works no more'],
  ['/rehearsal', 'Suppose an incident opens'],
  ['/settings/escalation-policies', 'Escalation'],
  ['/settings/rules', 'No rule yet'],
  ['/settings/sla-policies', 'No clock runs'],
  ['/settings/correlation', 'Nothing was decided by hand'],
  ['/settings/channels', 'No channel yet'],
  ['/settings/log-sources', 'No source of your own yet'],
  ['/settings/git-sources', 'Runbooks come from the folder alone'],
  ['/settings/change-sources', 'Nobody tells of changes yet'],
  ['/settings/chat', 'There is no channel of Slack or Microsoft Teams yet'],
  ['/settings/runners', 'No runner yet'],
  ['/settings/account', 'You have no contact rules'],
];

it.for(emptyPages)('%s says: %s', async ([path, says], context) => {
  tab ??= await browser.openTab(context, { session, base: web.base });
  await looksWell(tab, web.base + path);
  expect(await tab.locator('main').innerText()).toContain(says);
  expect(problems.splice(0)).toEqual([]);
});

it('/rehearsal goes by the first policy alone, and says that a week was without incidents', async (context) => {
  tab ??= await browser.openTab(context, { session, base: web.base });
  const { orgId } = database;
  const definition: EscalationPolicy = {
    levels: [{ after: '0s', targets: [{ type: 'email', address: 'ana@example.com' }] }],
    repeats: 0,
  };
  await database.db.write({ orgId }, (tx) =>
    putEscalationPolicy(tx, { orgId, name: 'default', definition, actor: 'test' }),
  );
  await tab.goto(`${web.base}/rehearsal`);
  await tab.getByRole('button', { name: 'Rehearse', exact: true }).click();
  await tab.getByText('is paged first').waitFor();
  await looksWell(tab);
  await tab.getByRole('button', { name: 'Rehearse the week' }).click();
  await tab.getByText('No incident opened in that week.').waitFor();
  await looksWell(tab);
  expect(problems.splice(0)).toEqual([]);
});
