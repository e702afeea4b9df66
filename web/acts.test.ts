import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSignInLink } from '../db/identity.ts';
import { type BadPages, serveBadPages } from '../test/harness/bad-pages.ts';
import { type Browser, looksWell, startBrowser } from '../test/harness/browser.ts';
import type { Skipping } from '../test/parts/part.ts';
import { RefusedError } from '../workflows/messages-client.ts';

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
const openTab = (context: Skipping, from = browser): Promise<Page> =>
  from.openTab(context, { session: pages.night.session, base: pages.web.base });

describe('what people do', () => {
  it('acknowledges by one press, and says so', async (context) => {
    const page = await openTab(context);
    await page.goto(`${pages.web.base}/incidents/${pages.night.worstIncident}`);
    await page.keyboard.press('a');
    await page.getByRole('status').filter({ hasText: 'Acknowledged: it is yours' }).waitFor();
    expect(pages.messages.sent.splice(0)).toEqual([
      {
        method: 'acknowledge',
        args: [pages.database.orgId, 200, { actor: { name: 'ana@example.com', via: 'page' }, asOf: 9 }],
      },
    ]);
    await page.close();
  });

  it('tells why something was refused', async (context) => {
    const page = await openTab(context);
    pages.messages.next(new RefusedError('it was resolved a moment ago'));
    await page.goto(`${pages.web.base}/incidents/${pages.night.worstIncident}`);
    await page.keyboard.press('r');
    await page.getByLabel('What mended it?').fill('Raised max_connections');
    await page.getByRole('button', { name: 'Resolve incident' }).click();
    await page.getByText('Refused: it was resolved a moment ago').waitFor();
    expect(pages.messages.sent.splice(0)[0]?.args[2]).toMatchObject({ note: 'Raised max_connections' });
    await page.close();
  });

  it('works without a script: acknowledge, resolve, note, approve', async (context) => {
    const plain = await startBrowser(pages.problems, { javaScript: false });
    try {
      const page = await openTab(context, plain);
      await page.goto(`${pages.web.base}/incidents/${pages.night.worstIncident}`);
      await page.getByRole('button', { name: 'Acknowledge' }).click();
      await page.locator('#do-resolve summary').click();
      await page.getByRole('button', { name: 'Resolve incident' }).click();
      await page.getByLabel('Add a note').fill('مرحبا 👋');
      await page.getByRole('button', { name: 'Add note' }).click();
      await page.getByRole('button', { name: 'Approve and run' }).click();
      await page.getByText('Your approval of restart-connection-pool counts.').waitFor();
      expect(pages.messages.sent.splice(0).map(({ method }) => method)).toEqual([
        'acknowledge',
        'resolve',
        'addNote',
        'approve',
      ]);
    } finally {
      await plain.close();
    }
  });

  it('signs in by a link, and reads times in the zone of the browser from then on, unless it is another one', async (context) => {
    const { orgId, owner, db } = pages.database;
    const { rows } = await owner.query(
      `insert into users (org_id, email, name) values ($1, 'newcomer@example.com', 'newcomer') returning id`,
      [orgId],
    );
    const userId: string = rows[0].id;
    await owner.query(`insert into memberships (org_id, user_id, role) values ($1, $2, 'viewer')`, [
      orgId,
      userId,
    ]);
    const plain = await startBrowser(pages.problems);
    const visit = async () => {
      const expiresAt = new Date(Date.now() + 60_000);
      const token = await db.write({ orgId }, (tx) =>
        createSignInLink(tx, { orgId, userId, expiresAt, actor: 'test' }),
      );
      const page = await openTab(context, plain);
      await plain.signOut();
      await page.goto(`${pages.web.base}/sign-in/${token}`);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.goto(`${pages.web.base}/settings/account`);
      return page;
    };
    try {
      const first = await visit();
      const zone = await first.evaluate('Intl.DateTimeFormat().resolvedOptions().timeZone');
      await first.getByText(`tell you times in ${zone}.`).waitFor();
      await owner.query(`update users set time_zone = 'Asia/Kolkata' where id = $1`, [userId]);
      await (await visit()).getByText('tell you times in Asia/Kolkata.').waitFor();
    } finally {
      await plain.close();
    }
  });

  it('takes in what is new by itself, and leaves what the reader holds', async (context) => {
    const page = await openTab(context);
    await page.clock.install();
    await page.goto(`${pages.web.base}/incidents/${pages.night.worstIncident}`);
    await page.getByLabel('Add a note').fill('half a thought');
    const fold = page.locator('details.fold').first();
    await fold.locator('summary').click();
    await pages.database.owner.query(
      `insert into timeline (org_id, incident_id, kind, actor, summary, dedup_key)
       select org_id, id, 'note', 'ben@example.com', 'Found the leak in the cart presenter', 'live'
       from incidents where number = 200`,
    );
    await page.clock.fastForward(10_000);
    await page.getByText('Found the leak in the cart presenter').waitFor({ timeout: 15_000 });
    expect(await page.getByLabel('Add a note').inputValue()).toBe('half a thought');
    expect(await fold.getAttribute('open')).not.toBeNull();
    await page.close();
  });

  it('drops the word that a press worked after a while', async (context) => {
    const page = await openTab(context);
    await page.clock.install();
    await page.goto(`${pages.web.base}/incidents/${pages.night.worstIncident}`);
    await page.keyboard.press('a');
    const flash = page.getByRole('status').filter({ hasText: 'Acknowledged: it is yours' });
    await flash.waitFor();
    await page.clock.fastForward(11_000);
    await flash.waitFor({ state: 'detached', timeout: 8000 });
    pages.messages.sent.splice(0);
    await page.close();
  });

  it('goes by keyboard: / searches, j moves, Enter opens', async (context) => {
    const page = await openTab(context);
    await page.goto(`${pages.web.base}/incidents`);
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
    await page.goto(`${pages.web.base}/settings/escalation-policies/new`);
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
    await page.goto(`${pages.web.base}/settings/people`);
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
    await page.goto(`${pages.web.base}/runbooks/${pages.night.runbook}`);
    await page.getByRole('button', { name: 'Run restart-service' }).click();
    await page.getByRole('alert').filter({ hasText: 'service_name' }).waitFor();
    await page.getByLabel('service_name').fill('checkout');
    await page.getByRole('button', { name: 'Run restart-service' }).click();
    await page.waitForURL(/\/executions\//);
    expect(pages.messages.sent.splice(0).map(({ method }) => method)).toEqual(['startExecution']);
    await page.close();
  });

  it('rehearses a policy as edited, on a situation and a past week, and goes back to its form', async (context) => {
    const page = await openTab(context);
    await page.goto(`${pages.web.base}/settings/escalation-policies/default`);
    await page.getByLabel('After').first().fill('7m');
    await page.getByRole('button', { name: 'Rehearse' }).click();
    await page.getByText('is paged first, after 7 min').waitFor();
    await page.getByText('More: alert').click();
    await looksWell(page);
    // a week can be rehearsed once it is over
    const { rows } = await pages.database.owner.query<{ opened_at: Date }>(`
      with moved as (
        update incidents set opened_at = opened_at - interval '7 days' where id = (
          select i.id from incidents i join alerts a on a.incident_id = i.id
          where i.acknowledged_at is null and i.merged_into is null and i.severity = 'critical'
          order by i.number limit 1
        ) returning id, opened_at
      ), fired as (
        update alerts set received_at = received_at - interval '7 days' where incident_id in (select id from moved)
      ) select opened_at from moved`);
    const day = rows[0]?.opened_at.toISOString().slice(0, 10) ?? '';
    await page.getByLabel('A day of the week').fill(day);
    await page.getByRole('button', { name: 'Rehearse the week' }).click();
    await page.getByText('Pages by person').waitFor();
    await looksWell(page);
    await page.getByRole('button', { name: 'Back to the form' }).click();
    expect(await page.getByLabel('After').first().inputValue()).toBe('7m');
    await page.close();
  });
});

describe('what people do about executions', () => {
  it('tries a failed undo again, and leaves it only for a reason', async (context) => {
    const page = await openTab(context);
    const path = `/executions/${pages.night.executions.undoWaits}`;
    await page.goto(pages.web.base + path);
    await page.getByRole('button', { name: 'Leave it undone' }).click();
    await page.getByText('Not done: say why').waitFor();
    expect(pages.messages.sent).toEqual([]);
    await page.locator('#undo-reason-2').fill('The setting was put back by hand.');
    await page.getByRole('button', { name: 'Leave it undone' }).click();
    await page.getByText('is left as it is').waitFor();
    await page.getByRole('button', { name: 'Try the undo again' }).click();
    await page.getByText('is tried again').waitFor();
    expect(pages.messages.sent.splice(0).map(({ method, args }) => [method, args[1], args[2]])).toEqual([
      [
        'decideUndo',
        pages.night.executions.undoWaits,
        expect.objectContaining({
          index: 2,
          decision: 'skip',
          asOf: 3,
          reason: 'The setting was put back by hand.',
        }),
      ],
      [
        'decideUndo',
        pages.night.executions.undoWaits,
        expect.objectContaining({ index: 2, decision: 'retry', asOf: 3 }),
      ],
    ]);
    await page.close();
  });

  it('goes on from the failed step once, and shows the way between the two', async (context) => {
    const page = await openTab(context);
    await page.goto(`${pages.web.base}/executions/${pages.night.executions.retry}`);
    await page.locator('#do-retry > summary').click();
    await page.getByRole('button', { name: 'Retry from there' }).click();
    await page.getByText('It goes on from its failed step').waitFor();
    await page.getByText('Taken over').first().waitFor();
    expect(pages.messages.sent.splice(0).map(({ method }) => method)).toEqual(['startExecution']);
    await page.getByRole('link', { name: 'an execution before' }).click();
    await page.getByRole('link', { name: 'Retried' }).waitFor();
    expect(await page.locator('#do-retry').count()).toBe(0);
    await page.close();
  });

  it('approves from the execution itself, for the approval that it shows', async (context) => {
    const page = await openTab(context);
    await page.goto(`${pages.web.base}/executions/${pages.night.executions.asking}`);
    await page.getByRole('button', { name: 'Approve and go on' }).click();
    await page.waitForURL(`${pages.web.base}/executions/${pages.night.executions.asking}`);
    expect(pages.messages.sent.splice(0).map(({ method, args }) => [method, args[2]])).toEqual([
      ['approve', expect.objectContaining({ approvalId: pages.night.executions.askingApproval })],
    ]);
    await page.close();
  });

  it('lets output grow without a jump: the end is followed, a place that is read stays', async (context) => {
    const page = await openTab(context);
    await page.clock.install();
    await page.goto(`${pages.web.base}/executions/${pages.night.executions.hostile}`);
    const output = page.getByLabel('Output of step 3', { exact: true });
    // as text, since these tests are not typed for a browser
    const inOutput = (code: string): Promise<number> =>
      page.evaluate(`((e) => ${code})(document.querySelector('#step-3 .output'))`);
    const rest = () => inOutput('e.scrollHeight - e.scrollTop - e.clientHeight');
    const grow = async (line: string) => {
      await pages.database.owner.query(
        `update execution_steps set output = output || chr(10) || $2 where execution_id = $1 and index = 2`,
        [pages.night.executions.hostile, line],
      );
      await page.clock.fastForward(10_000);
    };
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
    await page.goto(`${pages.web.base}/runbooks/${pages.night.runbook}/diff?from=3&to=2`);
    await page.getByRole('button', { name: 'Put version 2 in force' }).click();
    await page.getByText('Version 2 is in force and stays so until it is unpinned').waitFor();
    await page.getByText('Pinned to version 2').waitFor();
    await page.getByRole('button', { name: /Unpin/ }).click();
    await page.getByText('The newest version, 3, is in force again.').waitFor();
    await page.close();
  });
});
