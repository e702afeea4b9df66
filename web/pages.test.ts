import { get } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../db/database.ts';
import { createShare } from '../db/shares.ts';
import { signLink } from '../db/signed-links.ts';
import { seriousFaults } from '../test/harness/axe.ts';
import { seedBadAutomation } from '../test/harness/bad-automation.ts';
import { seedBadChat } from '../test/harness/bad-chat.ts';
import { type BadNight, seedBadNight } from '../test/harness/bad-night.ts';
import { seedBadNotifications } from '../test/harness/bad-notifications.ts';
import { seedBadOnCall } from '../test/harness/bad-on-call.ts';
import { seedBadTopology } from '../test/harness/bad-topology.ts';
import { createTestDatabase, type TestDatabase } from '../test/harness/database.ts';
import { createFakeMessages } from '../test/harness/messages.ts';
import { serveWeb, type TestWeb } from '../test/harness/web.ts';
import { type Chromium, startChromium } from '../test/parts/chromium.ts';
import { PartUnavailableError } from '../test/parts/part.ts';
import { RefusedError } from '../workflows/messages-client.ts';
import type { Mail } from './deps.ts';

let database: TestDatabase;
let night: BadNight;
let maintenance: string;
let messageIds: { page: number; failed: number };
let linkCode: string;
let web: TestWeb;
let chromium: Chromium | undefined;
let unavailable = '';
const messages = createFakeMessages();
const problems: unknown[] = [];

const mail: Mail = {
  id: '1763700000000-aaaaaaaaaaaa',
  from: 'Holdfast <holdfast@example.com>',
  to: ['somebody.with.a.very.long.mail.address@operations.subsidiary.example.com', 'ana@example.com'],
  subject: `[critical] #200 checkout: ${'db-primary-refuses-connections-'.repeat(5)}`,
  receivedAt: new Date().toISOString(),
  text: `Checkout has been failing.\n${'https://holdfast.example.com/l/'.padEnd(600, 'x')}\n`,
  html: '<html><head><script>parent.document.title="taken over"</script></head><body><a href="https://example.com">Acknowledge</a></body></html>',
};

beforeAll(async () => {
  database = await createTestDatabase();
  night = await seedBadNight(database.owner, database.orgId, Date.now());
  maintenance = (await seedBadAutomation(database)).window;
  await seedBadTopology(database.owner, database.orgId, night.worstIncident);
  messageIds = await seedBadNotifications(database);
  await seedBadOnCall(database, Date.now());
  linkCode = await seedBadChat(database);
  web = await serveWeb(database.db, {
    messages,
    mailbox: {
      list: async () => [mail],
      get: async (id) => (id === mail.id ? mail : undefined),
    },
    temporalUiUrl: 'http://127.0.0.1:8233',
    workflowUrl: (id) => `http://127.0.0.1:8233/namespaces/default/workflows/${encodeURIComponent(id)}`,
    readiness: async () => [
      { name: 'database', state: 'up', milliseconds: 2 },
      {
        name: 'elasticsearch',
        state: 'down',
        milliseconds: 1002,
        error: 'connect ECONNREFUSED 127.0.0.1:9200',
      },
    ],
    logError: (error) => problems.push(error),
  });
  try {
    chromium = await startChromium();
  } catch (error) {
    if (!(error instanceof PartUnavailableError)) throw error;
    unavailable = error.message;
  }
});

afterAll(async () => {
  await chromium?.close();
  await web?.close();
  await database?.close();
});

const sizes = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];

/** A tab of somebody who is signed in; the test is skipped by name where there is no Chromium. */
async function openTab(context: { skip(note?: string): never }): Promise<Page> {
  if (!chromium) context.skip(unavailable);
  await chromium.context.addCookies([{ name: 'holdfast', value: night.session, url: web.base }]);
  const page = await chromium.context.newPage();
  page.on('pageerror', (error) => problems.push(error));
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) problems.push(message.text());
  });
  await page.setViewportSize({ width: 1280, height: 900 });
  return page;
}

/** What sticks out to the right of the page or out of its own box without a way to scroll to it. */
async function cutText(page: Page): Promise<string[]> {
  // as text, since these tests are not typed for a browser
  return await page.evaluate(`(() => {
    const faults = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) faults.push('the page is ' + root.scrollWidth + ' wide');
    for (const element of document.querySelectorAll('main *')) {
      if (element.closest('.hidden, .hidden-label label, svg, iframe, select, thead') || element.clientWidth === 0) continue;
      const style = getComputedStyle(element);
      if (style.display === 'inline' || ['auto', 'scroll'].includes(style.overflowX)) continue;
      if (['INPUT', 'TEXTAREA'].includes(element.tagName) || element.closest('.drop')) continue;
      if (element.scrollWidth > element.clientWidth + 1) {
        faults.push(element.tagName + '.' + element.className + ': ' + element.scrollWidth + ' in ' + element.clientWidth);
      }
    }
    return faults.slice(0, 5);
  })()`);
}

const everyPage: [name: string, path: () => string][] = [
  ['incidents', () => '/incidents'],
  ['all incidents', () => '/incidents?status=all&window=7d'],
  ['a search without a match', () => '/incidents?q=zebra'],
  ['the worst incident', () => `/incidents/${night.worstIncident}`],
  ['its alerts', () => `/incidents/${night.worstIncident}/alerts`],
  ['its logs', () => `/incidents/${night.worstIncident}/logs`],
  ['its metrics', () => `/incidents/${night.worstIncident}/metrics`],
  ['its changes', () => `/incidents/${night.worstIncident}/changes`],
  ['its similar incidents', () => `/incidents/${night.worstIncident}/similar`],
  ['the links to it', () => `/incidents/${night.worstIncident}/shares`],
  ['splitting alerts off it', () => `/incidents/${night.worstIncident}/split`],
  ['grouping incidents', () => '/incidents/group'],
  ['merging it', () => `/incidents/${night.worstIncident}/merge`],
  ['an acknowledged incident', () => `/incidents/${night.acknowledgedIncident}`],
  ['a merged incident', () => `/incidents/${night.mergedIncident}`],
  ['metrics of an incident without any', () => `/incidents/${night.mergedIncident}/metrics`],
  ['changes of an incident without any', () => `/incidents/${night.mergedIncident}/changes`],
  ['a resolved incident', () => `/incidents/${night.resolvedIncident}`],
  ['approvals', () => '/approvals?status=all'],
  ['an approval', () => `/approvals/${night.pendingApproval}`],
  ['runbooks', () => '/runbooks'],
  ['a runbook', () => `/runbooks/${night.runbook}?incident=200`],
  ['a running execution', () => `/executions/${night.runningExecution}`],
  ['an execution that was rolled back', () => `/executions/${night.rolledBackExecution}`],
  ['an execution in a queue', () => `/executions/${night.executions.queued}`],
  ['an execution without its runner', () => `/executions/${night.executions.runnerMissing}`],
  ['an execution that asks in mid-run', () => `/executions/${night.executions.asking}`],
  ['an undo that waits for a person', () => `/executions/${night.executions.undoWaits}`],
  ['an execution that was retried', () => `/executions/${night.executions.retried}`],
  ['an execution that goes on from another', () => `/executions/${night.executions.retry}`],
  ['an execution by somebody who means harm', () => `/executions/${night.executions.hostile}`],
  ['executions', () => '/executions'],
  ['executions without a match', () => '/executions?target=nothing&status=failed'],
  ['an approval in mid-run', () => `/approvals/${night.executions.askingApproval}`],
  ['a pinned runbook', () => '/runbooks/clear-cache'],
  ['a version of a runbook', () => `/runbooks/${night.runbook}/versions/2`],
  ['what differs between versions', () => `/runbooks/${night.runbook}/diff?from=1&to=3`],
  ['automation, stopped', () => '/automation'],
  ['the form of a maintenance window', () => `/automation/maintenance/${maintenance}`],
  ['the form of safety rules', () => '/automation/rules/new'],
  ['the safety rules of the organization', () => '/automation/rules/edit?scope=organization&name='],
  ['who is on call', () => '/on-call'],
  ['a schedule', () => '/on-call/payments'],
  ['a schedule of a calendar that cannot be read', () => '/on-call/platform'],
  ['a schedule while clocks change', () => '/on-call/payments?week=2026-10-19'],
  ['a schedule without rotations', () => '/on-call/empty'],
  ['the form of a schedule', () => '/on-call/payments/edit'],
  ['the import of schedules', () => '/on-call/import'],
  ['the form of an override', () => '/on-call/payments/overrides/new'],
  ['services', () => '/services'],
  ['the graph of services', () => '/topology'],
  ['a service', () => '/services/db-primary'],
  [
    'a service with an awkward name',
    () => `/services/${encodeURIComponent('<script>alert("service")</script>')}`,
  ],
  ['the form of a service', () => '/services/db-primary/edit'],
  ['services as YAML', () => '/topology/import'],
  ['changes', () => '/changes'],
  ['risky changes', () => '/changes?risky=true&window=30d'],
  ['a change with a very long title', () => '/changes/4'],
  ['changes by service', () => '/changes/services'],
  ['the form of a change', () => '/changes/new'],
  ['SLOs', () => '/slos'],
  ['an SLO', () => '/slos/checkout-availability'],
  ['the form of an SLO', () => '/slos/checkout-availability/edit'],
  ['reports', () => '/reports'],
  ['a report', () => `/reports/${night.report}`],
  ['mailbox', () => '/mailbox'],
  ['a mail', () => `/mailbox/${mail.id}`],
  ['a mail as text', () => `/mailbox/${mail.id}?part=text`],
  ['escalation policies', () => '/settings/escalation-policies'],
  ['the form of an escalation policy', () => '/settings/escalation-policies/default'],
  ['rehearsal', () => '/rehearsal'],
  ['SLA policies', () => '/settings/sla-policies'],
  ['the form of an SLA policy', () => '/settings/sla-policies/critical'],
  ['the form of an SLA calendar', () => '/settings/sla-calendars/office-hours'],
  ['rules of notification', () => '/settings/rules'],
  ['the form of a rule of notification', () => '/settings/rules/critical-to-everybody'],
  ['the log of messages', () => '/notifications'],
  ['why a page was sent', () => `/notifications/${messageIds.page}`],
  ['why a message that failed was sent', () => `/notifications/${messageIds.failed}`],
  ['silences', () => '/silences'],
  ['the form of a silence', () => '/silences/new?service=checkout'],
  ['rules of correlation', () => '/settings/correlation'],
  ['the form of rules of correlation', () => '/settings/correlation/organization'],
  ['channels', () => '/settings/channels'],
  ['the form of a channel', () => '/settings/channels/ops-hook'],
  ['the form of a Slack channel', () => '/settings/channels/new?kind=slack'],
  ['the form of a PagerDuty channel', () => '/settings/channels/new?kind=pagerduty'],
  ['log sources', () => '/settings/log-sources'],
  ['the form of a log source', () => '/settings/log-sources/payments'],
  ['the form of a query template', () => '/settings/log-templates/time-outs'],
  ['Git sources', () => '/settings/git-sources'],
  ['the form of a Git source', () => '/settings/git-sources/new'],
  ['sources of changes', () => '/settings/change-sources'],
  ['the form of a source of changes', () => '/settings/change-sources/new?kind=generic'],
  ['chat', () => '/chat?whose=all'],
  ['an address that connects an account', () => `/chat/link/${linkCode}`],
  ['chat settings', () => '/settings/chat'],
  ['report settings', () => '/settings/reports'],
  ['runners', () => '/settings/runners'],
  ['people', () => '/settings/people'],
  ['account', () => '/settings/account'],
  ['the form of contact rules', () => '/settings/account/contact'],
  ['system health', () => '/health'],
  ['a page that is not there', () => '/nowhere'],
];

describe('every page, at desk and phone size, light and dark', () => {
  // one tab for all: opening one takes as long as many a page
  let tab: Page | undefined;
  afterAll(async () => {
    await tab?.close();
  });

  it.for(everyPage)('%s: nothing sticks out, no serious fault', async ([, path], context) => {
    tab ??= await openTab(context);
    for (const [index, size] of sizes.entries()) {
      await tab.setViewportSize(size);
      await tab.emulateMedia({ colorScheme: index === 0 ? 'light' : 'dark' });
      if (index === 0) await tab.goto(web.base + path());
      expect(await cutText(tab)).toEqual([]);
      expect(await seriousFaults(tab)).toEqual([]);
    }
    expect(problems.splice(0)).toEqual([]);
  });
});

describe('what stands outside the frame or opens on a press', () => {
  it('has no serious fault: signing in, links from mails, menus', async (context) => {
    const page = await openTab(context);
    const look = async (): Promise<void> => {
      for (const size of sizes) {
        await page.setViewportSize(size);
        expect(await cutText(page)).toEqual([]);
        expect(await seriousFaults(page)).toEqual([]);
      }
    };
    await page.goto(`${web.base}/incidents/${night.worstIncident}`);
    for (const menu of ['#do-resolve', '#do-more', '#do-other-cause']) {
      await page.locator(`${menu} > summary`).click();
      await look();
      await page.keyboard.press('Escape');
    }
    await page.locator('.menu-button').click();
    await look();
    for (const [path, menu] of [
      [`/executions/${night.executions.retry}`, '#do-retry'],
      [`/executions/${night.executions.asking}`, '#do-cancel'],
    ]) {
      await page.goto(`${web.base}${path}`);
      await page.locator(`${menu} > summary`).click();
      await look();
    }
    await chromium?.context.clearCookies();
    const link = await database.db.write({ orgId: database.orgId }, (tx) =>
      signLink(tx, {
        orgId: database.orgId,
        action: 'approve',
        subject: { approvalId: night.pendingApproval },
        person: 'ben@example.com',
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
    const { rows } = await database.owner.query('select id, number from incidents where number = 200');
    const { token } = await database.db.write({ orgId: database.orgId }, (tx) =>
      createShare(tx, { orgId: database.orgId, incident: rows[0], actor: 'test', forMs: 60_000 }),
    );
    const shared = `/shared/${token}`;
    for (const path of ['/sign-in', '/sign-in/spent', `/l/${link}`, '/l/nonsense', shared, '/shared/x']) {
      await page.goto(web.base + path);
      await look();
    }
    await page.close();
  });
});

describe('what people do', () => {
  it('acknowledges by one press, and says so', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/incidents/${night.worstIncident}`);
    await page.keyboard.press('a');
    await page.getByRole('status').filter({ hasText: 'Acknowledged: it is yours' }).waitFor();
    expect(messages.sent.splice(0)).toEqual([
      {
        method: 'acknowledge',
        args: [database.orgId, 200, { actor: { name: 'ana@example.com', via: 'page' }, asOf: 9 }],
      },
    ]);
    await page.close();
  });

  it('tells why something was refused', async (context) => {
    const page = await openTab(context);
    messages.next(new RefusedError('it was resolved a moment ago'));
    await page.goto(`${web.base}/incidents/${night.worstIncident}`);
    await page.keyboard.press('r');
    await page.getByLabel('What mended it?').fill('Raised max_connections');
    await page.getByRole('button', { name: 'Resolve incident' }).click();
    await page.getByText('Refused: it was resolved a moment ago').waitFor();
    expect(messages.sent.splice(0)[0]?.args[2]).toMatchObject({ note: 'Raised max_connections' });
    await page.close();
  });

  it('works without a script: acknowledge, resolve, note, approve', async (context) => {
    if (!chromium) context.skip(unavailable);
    const plain = await startChromium({ javaScript: false });
    try {
      await plain.context.addCookies([{ name: 'holdfast', value: night.session, url: web.base }]);
      const page = await plain.context.newPage();
      await page.goto(`${web.base}/incidents/${night.worstIncident}`);
      await page.getByRole('button', { name: 'Acknowledge' }).click();
      await page.locator('#do-resolve summary').click();
      await page.getByRole('button', { name: 'Resolve incident' }).click();
      await page.getByLabel('Add a note').fill('مرحبا 👋');
      await page.getByRole('button', { name: 'Add note' }).click();
      await page.getByRole('button', { name: 'Approve and run' }).click();
      await page.getByText('Your approval of restart-connection-pool counts.').waitFor();
      expect(messages.sent.splice(0).map(({ method }) => method)).toEqual([
        'acknowledge',
        'resolve',
        'addNote',
        'approve',
      ]);
    } finally {
      await plain.close();
    }
  });

  it('takes in what is new by itself, and leaves what the reader holds', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/incidents/${night.worstIncident}`);
    await page.getByLabel('Add a note').fill('half a thought');
    const fold = page.locator('details.fold').first();
    await fold.locator('summary').click();
    await database.owner.query(
      `insert into timeline (org_id, incident_id, kind, actor, summary, dedup_key)
       select org_id, id, 'note', 'ben@example.com', 'Found the leak in the cart presenter', 'live'
       from incidents where number = 200`,
    );
    await page.getByText('Found the leak in the cart presenter').waitFor({ timeout: 15_000 });
    expect(await page.getByLabel('Add a note').inputValue()).toBe('half a thought');
    expect(await fold.getAttribute('open')).not.toBeNull();
    await page.close();
  });

  it('drops the word that a press worked after a while', async (context) => {
    const page = await openTab(context);
    await page.clock.install();
    await page.goto(`${web.base}/incidents/${night.worstIncident}`);
    await page.keyboard.press('a');
    const flash = page.getByRole('status').filter({ hasText: 'Acknowledged: it is yours' });
    await flash.waitFor();
    await page.clock.fastForward(11_000);
    await flash.waitFor({ state: 'detached', timeout: 8000 });
    messages.sent.splice(0);
    await page.close();
  });

  it('goes by keyboard: / searches, j moves, Enter opens', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/incidents`);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/incidents\/199$/);
    await page.keyboard.press('/');
    await page.keyboard.type('#190');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/incidents\/190$/);
    await page.close();
  });

  it('keeps what was typed into a form and says what is wrong beside the field', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/settings/escalation-policies/new`);
    await page.getByLabel('Name', { exact: true }).fill('night');
    await page.locator('#field-who-0-0').selectOption('email');
    await page.locator('#field-address-0-0').fill('nobody');
    await page.locator('#field-after-1').fill('soon');
    await page.locator('#field-who-1-0').selectOption('channel:ops-hook');
    // a browser that checks addresses itself must not hide what the form says
    await page.evaluate('document.querySelector("form.stack").noValidate = true');
    await page.getByRole('button', { name: 'Save policy' }).click();
    await page.getByText('Write a time such as 0s, 15m or 1h.').waitFor();
    await page.getByText('Write a mail address, such as ana@example.com.').waitFor();
    expect(await page.locator('#field-after-1').inputValue()).toBe('soon');
    expect(await page.locator('#field-address-0-0').inputValue()).toBe('nobody');
    await page.locator('#field-after-1').fill('15m');
    await page.locator('#field-who-0-0').selectOption('user:ben@example.com');
    await page.locator('#field-address-0-0').fill('');
    await page.getByRole('button', { name: 'Save policy' }).click();
    await page.getByText('The policy night is saved.').waitFor();
    await page.close();
  });

  it('keeps who gets the reports, and says which address is none', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/settings/people`);
    await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Reports' }).click();
    await page.getByLabel('Recipients').fill('lead@example.com\nnobody');
    await page.getByLabel('Time zone').fill('Europe/Berlin');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('“nobody” is no mail address.').waitFor();
    expect(await page.getByLabel('Recipients').inputValue()).toBe('lead@example.com\nnobody');
    await page.getByLabel('Recipients').fill('lead@example.com');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved. The next reports go by it.').waitFor();
    expect(await page.getByLabel('Recipients').inputValue()).toBe('lead@example.com');
    expect(await page.getByLabel('Time zone').inputValue()).toBe('Europe/Berlin');
    await page.close();
  });

  it('runs a runbook for an incident, and shows what its inputs lack', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/runbooks/${night.runbook}`);
    await page.getByRole('button', { name: 'Run restart-service' }).click();
    await page.getByRole('alert').filter({ hasText: 'service_name' }).waitFor();
    await page.getByLabel('service_name').fill('checkout');
    await page.getByRole('button', { name: 'Run restart-service' }).click();
    await page.waitForURL(/\/executions\//);
    expect(messages.sent.splice(0).map(({ method }) => method)).toEqual(['startExecution']);
    await page.close();
  });

  it('rehearses a policy as edited, on a situation and a past week, and goes back to its form', async (context) => {
    const page = await openTab(context);
    const look = async () => {
      for (const size of sizes) {
        await page.setViewportSize(size);
        expect(await cutText(page)).toEqual([]);
        expect(await seriousFaults(page)).toEqual([]);
      }
    };
    await page.goto(`${web.base}/settings/escalation-policies/default`);
    await page.getByLabel('After').first().fill('7m');
    await page.getByRole('button', { name: 'Rehearse' }).click();
    await page.getByText('is paged first, after 7 min').waitFor();
    await page.getByText('More: alert').click();
    await look();
    const today = new Date(Date.now() - 6 * 86_400_000).toISOString().slice(0, 10);
    await page.getByLabel('First day of the week').fill(today);
    await page.getByRole('button', { name: 'Rehearse the week' }).click();
    await page.getByText('Pages by person').waitFor();
    await look();
    await page.getByRole('button', { name: 'Back to the form' }).click();
    expect(await page.getByLabel('After').first().inputValue()).toBe('7m');
    await page.close();
  });
});

describe('what people do about executions', () => {
  it('tries a failed undo again, and leaves it only for a reason', async (context) => {
    const page = await openTab(context);
    const path = `/executions/${night.executions.undoWaits}`;
    await page.goto(web.base + path);
    await page.getByRole('button', { name: 'Leave it undone' }).click();
    await page.getByText('Not done: say why').waitFor();
    expect(messages.sent).toEqual([]);
    await page.locator('#undo-reason-2').fill('The setting was put back by hand.');
    await page.getByRole('button', { name: 'Leave it undone' }).click();
    await page.getByText('is left as it is').waitFor();
    await page.getByRole('button', { name: 'Try the undo again' }).click();
    await page.getByText('is tried again').waitFor();
    expect(messages.sent.splice(0).map(({ method, args }) => [method, args[1], args[2]])).toEqual([
      [
        'decideUndo',
        night.executions.undoWaits,
        expect.objectContaining({
          index: 2,
          decision: 'skip',
          asOf: 3,
          reason: 'The setting was put back by hand.',
        }),
      ],
      [
        'decideUndo',
        night.executions.undoWaits,
        expect.objectContaining({ index: 2, decision: 'retry', asOf: 3 }),
      ],
    ]);
    await page.close();
  });

  it('goes on from the failed step once, and shows the way between the two', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/executions/${night.executions.retry}`);
    await page.locator('#do-retry > summary').click();
    await page.getByRole('button', { name: 'Retry from there' }).click();
    await page.getByText('It goes on from its failed step').waitFor();
    await page.getByText('Taken over').first().waitFor();
    expect(messages.sent.splice(0).map(({ method }) => method)).toEqual(['startExecution']);
    await page.getByRole('link', { name: 'an execution before' }).click();
    await page.getByRole('link', { name: 'Retried' }).waitFor();
    expect(await page.locator('#do-retry').count()).toBe(0);
    await page.close();
  });

  it('approves from the execution itself, for the approval that it shows', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/executions/${night.executions.asking}`);
    await page.getByRole('button', { name: 'Approve and go on' }).click();
    await page.waitForURL(`${web.base}/executions/${night.executions.asking}`);
    expect(messages.sent.splice(0).map(({ method, args }) => [method, args[2]])).toEqual([
      ['approve', expect.objectContaining({ approvalId: night.executions.askingApproval })],
    ]);
    await page.close();
  });

  it('lets output grow without a jump: the end is followed, a place that is read stays', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/executions/${night.executions.hostile}`);
    const output = page.getByLabel('Output of step 3', { exact: true });
    // as text, since these tests are not typed for a browser
    const inOutput = (code: string): Promise<number> =>
      page.evaluate(`((e) => ${code})(document.querySelector('#step-3 .output'))`);
    const rest = () => inOutput('e.scrollHeight - e.scrollTop - e.clientHeight');
    const grow = (line: string) =>
      database.owner.query(
        `update execution_steps set output = output || chr(10) || $2 where execution_id = $1 and index = 2`,
        [night.executions.hostile, line],
      );
    expect(await rest()).toBeLessThan(24);
    await grow('one more line');
    await output.filter({ hasText: 'one more line' }).waitFor({ timeout: 15_000 });
    expect(await rest()).toBeLessThan(24);
    await inOutput('e.scrollTop = 100');
    await grow('the last line');
    await output.filter({ hasText: 'the last line' }).waitFor({ timeout: 15_000 });
    expect(await inOutput('e.scrollTop')).toBe(100);
    await page.close();
  });

  it('puts an earlier version of a runbook in force, and the newest again', async (context) => {
    const page = await openTab(context);
    await page.goto(`${web.base}/runbooks/${night.runbook}/diff?from=3&to=2`);
    await page.getByRole('button', { name: 'Put version 2 in force' }).click();
    await page.getByText('Version 2 is in force and stays so until it is unpinned').waitFor();
    await page.getByText('Pinned to version 2').waitFor();
    await page.getByRole('button', { name: /Unpin/ }).click();
    await page.getByText('The newest version, 3, is in force again.').waitFor();
    await page.close();
  });
});

describe('what must not happen', () => {
  const post = (path: string, body: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(web.base + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(body).toString(),
    });
  const cookie = () => ({ cookie: `holdfast=${night.session}` });

  it('shows nothing without a session, and leads back after signing in', async () => {
    const answer = await fetch(`${web.base}/incidents/200`, { redirect: 'manual' });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/sign-in?back=%2Fincidents%2F200');
  });

  it('takes no form of another session or another site', async () => {
    expect((await post('/incidents/200/acknowledge', {}, cookie())).status).toBe(403);
    expect((await post('/incidents/200/acknowledge', { _csrf: 'guess' }, cookie())).status).toBe(403);
    const foreign = { ...cookie(), origin: 'https://evil.example' };
    expect((await post('/incidents/200/acknowledge', { _csrf: night.csrfToken }, foreign)).status).toBe(403);
    expect(messages.sent).toEqual([]);
  });

  it('lets a viewer see and not act', async () => {
    await database.owner.query(`update memberships set role = 'viewer' where user_id = $1`, [night.userId]);
    try {
      const shown = await (await fetch(`${web.base}/incidents/200`, { headers: cookie() })).text();
      expect(shown).not.toContain('data-key="a"');
      const asked = await post('/incidents/200/acknowledge', { _csrf: night.csrfToken }, cookie());
      expect(asked.status).toBe(403);
      expect((await fetch(`${web.base}/mailbox`, { headers: cookie() })).status).toBe(403);
      expect((await fetch(`${web.base}/settings/reports`, { headers: cookie() })).status).toBe(403);
      const settings = { _csrf: night.csrfToken, recipients: 'viewer@example.com' };
      expect((await post('/settings/reports', settings, cookie())).status).toBe(403);
      expect(messages.sent).toEqual([]);
    } finally {
      await database.owner.query(`update memberships set role = 'owner' where user_id = $1`, [night.userId]);
    }
  });

  it('shows a viewer what waits, without the means to act', async () => {
    await database.owner.query(`update memberships set role = 'viewer' where user_id = $1`, [night.userId]);
    try {
      const { undoWaits, asking, retry } = night.executions;
      for (const id of [undoWaits, asking, retry]) {
        const shown = await (await fetch(`${web.base}/executions/${id}`, { headers: cookie() })).text();
        expect(shown).not.toMatch(/<form method="post" action="\/(executions|approvals)/);
      }
      const token = { _csrf: night.csrfToken, decision: 'retry', version: '2' };
      for (const path of [
        `/executions/${undoWaits}/steps/2/undo`,
        `/executions/${retry}/retry`,
        `/executions/${asking}/cancel`,
        `/runbooks/${night.runbook}/pin`,
        `/runbooks/${night.runbook}/unpin`,
      ]) {
        expect([path, (await post(path, token, cookie())).status]).toEqual([path, 403]);
      }
      expect(messages.sent).toEqual([]);
    } finally {
      await database.owner.query(`update memberships set role = 'owner' where user_id = $1`, [night.userId]);
    }
  });

  it('takes names, commands, output and inputs as text, wherever they stand', async () => {
    const { hostile, queued, undoWaits } = night.executions;
    for (const path of [
      `/executions/${hostile}`,
      `/executions/${queued}`,
      `/executions/${undoWaits}`,
      '/executions',
    ]) {
      const html = await (await fetch(web.base + path, { headers: cookie() })).text();
      expect([path, html.includes('&lt;script&gt;alert(1)&lt;/script&gt;')]).toEqual([path, true]);
      const harm = ['<script>alert', '<img src=x', '\u001b', '\u202e'];
      expect([path, harm.filter((text) => html.includes(text))]).toEqual([path, []]);
    }
  });

  it("lets a viewer's mail link show and not act", async () => {
    const { rows } = await database.owner.query(`select email from users where id = $1`, [night.userId]);
    const token = await database.db.write({ orgId: database.orgId }, (tx) =>
      signLink(tx, {
        orgId: database.orgId,
        action: 'acknowledge',
        subject: { incidentNumber: 200 },
        person: rows[0].email,
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
    await database.owner.query(`update memberships set role = 'viewer' where user_id = $1`, [night.userId]);
    try {
      expect(await (await post(`/l/${token}`, {})).text()).toContain('takes the role Operator');
      expect(messages.sent).toEqual([]);
    } finally {
      await database.owner.query(`update memberships set role = 'owner' where user_id = $1`, [night.userId]);
    }
  });

  it('acts on no GET: a link from a mail shows, and acts once when it is posted', async () => {
    const token = await database.db.write({ orgId: database.orgId }, (tx) =>
      signLink(tx, {
        orgId: database.orgId,
        action: 'acknowledge',
        subject: { incidentNumber: 200 },
        person: 'ben@example.com',
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
    const shown = await fetch(`${web.base}/l/${token}`);
    expect(await shown.text()).toContain('Acknowledging says that you take care of it');
    await fetch(`${web.base}/l/${token}`, { method: 'HEAD' });
    expect(messages.sent).toEqual([]);

    messages.next(new RefusedError('a worker is busy'));
    expect(await (await post(`/l/${token}`, {})).text()).toContain('Refused: a worker is busy');
    expect(await (await post(`/l/${token}`, {})).text()).toContain('Acknowledged: it is yours');
    expect(await (await post(`/l/${token}`, {})).text()).toContain('This link has been used');
    expect(messages.sent.splice(0).map(({ args }) => args[2])).toEqual([
      { actor: { name: 'ben@example.com', via: 'mail' }, asOf: 9 },
      { actor: { name: 'ben@example.com', via: 'mail' }, asOf: 9 },
    ]);
    expect((await fetch(`${web.base}/l/nonsense`)).status).toBe(410);
  });

  it('refuses a link that was passed on to somebody who is signed in as another, and leaves it good', async () => {
    const person = 'cleo@example.com';
    await database.owner.query(
      `with made as (insert into users (org_id, email, name) values ($1, $2, 'Cleo') returning id)
       insert into memberships (org_id, user_id, role) select $1, id, 'operator' from made`,
      [database.orgId, person],
    );
    const token = await database.db.write({ orgId: database.orgId }, (tx) =>
      signLink(tx, {
        orgId: database.orgId,
        action: 'acknowledge',
        subject: { incidentNumber: 200 },
        person,
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
    const asked = await post(`/l/${token}`, {}, cookie());
    expect(asked.status).toBe(403);
    expect(await asked.text()).toContain(`This link was sent to ${person}`);
    const shown = await fetch(`${web.base}/l/${token}`, { headers: cookie() });
    expect(await shown.text()).not.toContain('<form method="post" class="panel');
    expect(messages.sent).toEqual([]);
    expect(await (await post(`/l/${token}`, {})).text()).toContain('Acknowledged: it is yours');
    messages.sent.splice(0);
    await database.owner.query(`delete from users where email = $1`, [person]);
  });

  it('lets no script of a mail run, nor any inline style or script of a page', async () => {
    const answer = await fetch(`${web.base}/mailbox/${mail.id}/html`, { headers: cookie() });
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
    const page = await fetch(`${web.base}/incidents/200`, { headers: cookie() });
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';style-src 'self'");
    const html = await page.text();
    expect(html).not.toMatch(/<[^>]+\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+="/);
    expect(html).not.toContain('href="javascript:');
  });

  it('says 304 to a page that has not changed, and keeps assets for good', async () => {
    const first = await fetch(`${web.base}/approvals?status=all`, { headers: cookie() });
    const html = await first.text();
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    const stylesheet = /href="(\/assets\/holdfast\.[0-9a-f]+\.css)"/.exec(html)?.[1];
    const asset = await fetch(web.base + stylesheet);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    const page = `${web.base}/settings/sla-policies`;
    const etag = (await fetch(page, { headers: cookie() })).headers.get('etag') ?? '';
    // fetch would add 'Cache-Control: no-cache', which asks for the whole page
    const status = await new Promise((resolve, reject) => {
      get(page, { headers: { ...cookie(), 'if-none-match': etag } }, (again) => {
        again.resume();
        resolve(again.statusCode);
      }).once('error', reject);
    });
    expect(status).toBe(304);
  });

  it('does not know what is not there', async () => {
    for (const path of [
      '/incidents/999',
      '/incidents/x',
      '/executions/1',
      '/runbooks/none',
      '/mailbox/..%2f..',
      '/x',
    ]) {
      const answer = await fetch(web.base + path, { headers: cookie() });
      expect([path, answer.status]).toEqual([path, 404]);
    }
    expect((await fetch(`${web.base}/incidents?cursor=bad`, { headers: cookie() })).status).toBe(400);
  });
});

describe('when the database is away', () => {
  it('says so, and what goes on meanwhile', async () => {
    const db = new Database({ url: 'postgres://nobody@127.0.0.1:1/nothing', poolSize: 1 });
    const away = await serveWeb(db, { messages, publicUrl: web.base, logError: () => {} });
    const answer = await fetch(`${away.base}/incidents`, {
      headers: { cookie: `holdfast=${night.session}` },
    });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('The database does not answer');
    expect((await fetch(`${away.base}/sign-in`)).status).toBe(200);
    await away.close();
    await db.close();
  });
});
