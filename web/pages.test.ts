import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createShare } from '../db/shares.ts';
import { signLink } from '../db/signed-links.ts';
import { type BadPages, serveBadPages } from '../test/harness/bad-pages.ts';
import { type Browser, looksWell, startBrowser } from '../test/harness/browser.ts';
import type { Skipping } from '../test/parts/part.ts';

/** How every page looks; what people do on them stands in acts.test.ts, what they look like at first in empty-pages.test.ts. */

let pages: BadPages;
let browser: Browser;
beforeAll(async () => {
  pages = await serveBadPages();
  browser = await startBrowser(pages.problems);
});
afterAll(async () => {
  await browser?.close();
  await pages?.close();
});

/** A tab of the owner. */
const openTab = (context: Skipping): Promise<Page> =>
  browser.openTab(context, { session: pages.night.session, base: pages.web.base });

const everyPage: [name: string, path: () => string][] = [
  ['incidents', () => '/incidents'],
  ['all incidents', () => '/incidents?status=all&window=7d'],
  ['a search without a match', () => '/incidents?q=zebra'],
  ['the worst incident', () => `/incidents/${pages.night.worstIncident}`],
  ['its alerts', () => `/incidents/${pages.night.worstIncident}/alerts`],
  ['its logs', () => `/incidents/${pages.night.worstIncident}/logs`],
  ['its metrics', () => `/incidents/${pages.night.worstIncident}/metrics`],
  ['its changes', () => `/incidents/${pages.night.worstIncident}/changes`],
  ['its similar incidents', () => `/incidents/${pages.night.worstIncident}/similar`],
  ['the links to it', () => `/incidents/${pages.night.worstIncident}/shares`],
  ['splitting alerts off it', () => `/incidents/${pages.night.worstIncident}/split`],
  ['grouping incidents', () => '/incidents/group'],
  ['merging it', () => `/incidents/${pages.night.worstIncident}/merge`],
  ['an acknowledged incident', () => `/incidents/${pages.night.acknowledgedIncident}`],
  ['a merged incident', () => `/incidents/${pages.night.mergedIncident}`],
  ['metrics of an incident without any', () => `/incidents/${pages.night.mergedIncident}/metrics`],
  ['changes of an incident without any', () => `/incidents/${pages.night.mergedIncident}/changes`],
  ['a resolved incident', () => `/incidents/${pages.night.resolvedIncident}`],
  ['approvals', () => '/approvals?status=all'],
  ['an approval', () => `/approvals/${pages.night.pendingApproval}`],
  ['runbooks', () => '/runbooks'],
  ['a runbook', () => `/runbooks/${pages.night.runbook}?incident=200`],
  ['a running execution', () => `/executions/${pages.night.runningExecution}`],
  ['an execution that was rolled back', () => `/executions/${pages.night.rolledBackExecution}`],
  ['an execution in a queue', () => `/executions/${pages.night.executions.queued}`],
  ['an execution without its runner', () => `/executions/${pages.night.executions.runnerMissing}`],
  ['an execution that asks in mid-run', () => `/executions/${pages.night.executions.asking}`],
  ['an undo that waits for a person', () => `/executions/${pages.night.executions.undoWaits}`],
  ['an execution that was retried', () => `/executions/${pages.night.executions.retried}`],
  ['an execution that goes on from another', () => `/executions/${pages.night.executions.retry}`],
  ['an execution by somebody who means harm', () => `/executions/${pages.night.executions.hostile}`],
  ['executions', () => '/executions'],
  ['executions without a match', () => '/executions?target=nothing&status=failed'],
  ['an approval in mid-run', () => `/approvals/${pages.night.executions.askingApproval}`],
  ['a pinned runbook', () => '/runbooks/clear-cache'],
  ['a version of a runbook', () => `/runbooks/${pages.night.runbook}/versions/2`],
  ['what differs between versions', () => `/runbooks/${pages.night.runbook}/diff?from=1&to=3`],
  ['automation, stopped', () => '/automation'],
  ['the form of a maintenance window', () => `/automation/maintenance/${pages.maintenanceWindow}`],
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
  ['a report', () => `/reports/${pages.night.report}`],
  ['mailbox', () => '/mailbox'],
  ['a mail', () => `/mailbox/${pages.mail.id}`],
  ['a mail as text', () => `/mailbox/${pages.mail.id}?part=text`],
  ['escalation policies', () => '/settings/escalation-policies'],
  ['the form of an escalation policy', () => '/settings/escalation-policies/default'],
  ['rehearsal', () => '/rehearsal'],
  ['SLA policies', () => '/settings/sla-policies'],
  ['the form of an SLA policy', () => '/settings/sla-policies/critical'],
  ['the form of an SLA calendar', () => '/settings/sla-calendars/office-hours'],
  ['rules of notification', () => '/settings/rules'],
  ['the form of a rule of notification', () => '/settings/rules/critical-to-everybody'],
  ['the log of messages', () => '/notifications'],
  ['why a page was sent', () => `/notifications/${pages.messageIds.page}`],
  ['why a message that failed was sent', () => `/notifications/${pages.messageIds.failed}`],
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
  ['an address that connects an account', () => `/chat/link/${pages.linkCode}`],
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
    await looksWell(tab, pages.web.base + path());
    expect(pages.problems.splice(0)).toEqual([]);
  });

  it.for(everyPage.filter(([name]) => /^(its logs|executions)$/.test(name)))(
    '%s, looked at years later: moments have room for the day',
    async ([, path], context) => {
      const later = await openTab(context);
      await later.clock.setFixedTime(Date.now() + 1000 * 24 * 3_600_000);
      await looksWell(later, pages.web.base + path());
      await later.close();
    },
  );
});

describe('what stands outside the frame or opens on a press', () => {
  it('has no serious fault: signing in, links from mails, menus', async (context) => {
    const page = await openTab(context);
    await page.goto(`${pages.web.base}/incidents/${pages.night.worstIncident}`);
    for (const menu of ['#do-resolve', '#do-more', '#do-other-cause']) {
      await page.locator(`${menu} > summary`).click();
      await looksWell(page);
      await page.keyboard.press('Escape');
    }
    await page.locator('.menu-button').click();
    await looksWell(page);
    for (const [path, menu] of [
      [`/executions/${pages.night.executions.retry}`, '#do-retry'],
      [`/executions/${pages.night.executions.asking}`, '#do-cancel'],
    ]) {
      await page.goto(`${pages.web.base}${path}`);
      await page.locator(`${menu} > summary`).click();
      await looksWell(page);
    }
    await browser.signOut();
    const link = await pages.database.db.write({ orgId: pages.database.orgId }, (tx) =>
      signLink(tx, {
        orgId: pages.database.orgId,
        action: 'approve',
        subject: { approvalId: pages.night.pendingApproval },
        person: 'ben@example.com',
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
    const { rows } = await pages.database.owner.query('select id, number from incidents where number = 200');
    const { token } = await pages.database.db.write({ orgId: pages.database.orgId }, (tx) =>
      createShare(tx, { orgId: pages.database.orgId, incident: rows[0], actor: 'test', forMs: 60_000 }),
    );
    const shared = `/shared/${token}`;
    for (const path of ['/sign-in', '/sign-in/spent', `/l/${link}`, '/l/nonsense', shared, '/shared/x']) {
      await looksWell(page, pages.web.base + path);
    }
    await page.close();
  });
});
