import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { linkOf, mailOf, mailsOf, openLink, submitForm } from '../harness/mails.ts';
import { makePlace, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';
import { type SmtpReceiver, startSmtp } from '../parts/smtp.ts';

/**
 * What makes people trust a runbook with production, on the whole stack. Each test has targets of its own and waits for
 * people and time-outs, so the tests wait together.
 */

let place: Place;
let stack: Stack | undefined;
let smtp: SmtpReceiver;
let holdfast: HoldfastClient;
/** What the steps did, in order: the target's own log. */
let journal: string;

beforeAll(async () => {
  place = await makePlace();
  smtp = await startSmtp();
  journal = join(place.folder, 'journal');
  for (const [name, yaml] of Object.entries(runbooks())) await place.writeRunbook(name, yaml);
  stack = await startStack(place, { SMTP_URL: smtp.url });
  holdfast = holdfastClient(place.url);
  await holdfast.put('/api/v1/escalation-policies/default', {
    levels: [{ after: '0s', targets: [{ type: 'email', address: 'approver@example.com' }] }],
    repeats: 0,
  });
  await holdfast.put('/api/v1/safety-rules/organization', { maxPerHour: 1000 });
});
afterAll(async () => {
  // in good order: a mail that is cut off in the middle is an error of the receiver
  await stack?.stop();
  await smtp?.close();
  await place?.remove();
});

const runbooks = () => ({
  'fail-over': `
name: fail-over
inputs: { host: {}, healthy: { default: "yes" } }
execution: { mode: manual, cooldown: 0, max_per_hour: 1000, target: "{{host}}" }
steps:
  - name: Drain
    command: echo drained {{host}} >> ${journal}
    rollback: echo undrained {{host}} >> ${journal}
  - name: Settle
    type: wait
    duration: 1
  - name: Ask
    type: approval
    message: Promote the replica of {{host}}?
  - name: Promote
    type: runbook
    runbook: promote
    inputs: { node: "{{host}}" }
  - name: Tell
    type: notify
    message: The replica of {{host}} serves now
verify:
  - name: It serves
    command: test {{healthy}} = yes || test -e ${place.folder}/mended
`,
  promote: `
name: promote
inputs: { node: {} }
execution: { mode: auto, cooldown: 0 }
steps:
  - name: Promote
    command: echo promoted {{node}} >> ${journal}
    rollback: test -e ${place.folder}/undoable && echo demoted {{node}} >> ${journal}
`,
  counted: `
name: counted
inputs: { host: {} }
execution: { mode: manual, cooldown: 0, max_per_hour: 1000, target: "{{host}}" }
steps:
  - name: Count
    command: echo counted {{host}} >> ${journal}
`,
  quoting: `
name: quoting
triggers: [{ alert_pattern: "Quoting*" }]
inputs: { text: {}, note: { allow_leading_dash: true } }
execution: { mode: auto, cooldown: 0, max_per_hour: 1000, target: quoting }
steps:
  - name: By a shell
    command: printf '%s\\n' {{text}} {{note}}
  - name: Without one
    command: [printf, '%s\\n', "{{text}}", "{{note}}"]
`,
});

const entries = async (words: RegExp): Promise<string[]> =>
  (await readFile(journal, 'utf8').catch(() => '')).split('\n').filter((line) => words.test(line));

async function start(runbook: string, inputs: Record<string, string>): Promise<string> {
  return (await holdfast.post(`/api/v1/runbooks/${runbook}/run`, { inputs })).id;
}

const read = (id: string): Promise<Answer['body']> => holdfast.get(`/api/v1/executions/${id}`);

async function ended(id: string, limitMs?: number): Promise<Answer['body']> {
  return await waitFor(
    `execution ${id} to end`,
    async () => {
      const execution = await read(id);
      return execution.finishedAt !== null && execution;
    },
    limitMs,
  );
}

/** The approval that the execution asks for, once it does. */
async function asked(id: string): Promise<Answer['body']> {
  return await waitFor(`execution ${id} to ask`, async () =>
    (await read(id)).approvals.find(({ status }: { status: string }) => status === 'pending'),
  );
}

/** The mail that asks for an approval on this target. */
async function mailAbout(target: string) {
  return await waitFor(`the mail about ${target}`, () =>
    mailsOf(smtp, 'approval.needed').find(({ email }) => email.text?.includes(target)),
  );
}

test.concurrent('waits, asks in mid-run, runs a nested runbook, tells and verifies', {
  timeout: 180_000,
}, async () => {
  const id = await start('fail-over', { host: 'db-1' });
  const approval = await asked(id);
  expect(approval).toMatchObject({ stepIndex: 2, message: 'Promote the replica of db-1?', required: 1 });
  expect(await entries(/db-1/)).toEqual(['drained db-1']);
  const mail = await mailAbout('db-1');
  expect(mail.email.subject).toContain('fail-over');
  expect(mail.email.text).toContain('Promote the replica of db-1?');
  await holdfast.post(`/api/v1/approvals/${approval.id}/approve`, { reason: 'the replica is in step' });
  const execution = await ended(id);
  expect(execution).toMatchObject({ status: 'succeeded' });
  expect(execution.steps.map(({ status }: { status: string }) => status)).toEqual(
    Array.from({ length: 6 }, () => 'succeeded'),
  );
  expect(await entries(/db-1/)).toEqual(['drained db-1', 'promoted db-1']);
  await waitFor('the message of the runbook', () =>
    mailsOf(smtp, 'execution.message').some(({ email }) =>
      email.text?.includes('The replica of db-1 serves now'),
    ),
  );
});

test.concurrent('rejected in mid-run, what was done is undone', { timeout: 180_000 }, async () => {
  const id = await start('fail-over', { host: 'db-2' });
  const approval = await asked(id);
  await holdfast.post(`/api/v1/approvals/${approval.id}/reject`, { reason: 'the replica lags' });
  expect(await ended(id)).toMatchObject({
    status: 'rolled_back',
    statusReason: expect.stringContaining('the replica lags'),
  });
  expect(await entries(/db-2/)).toEqual(['drained db-2', 'undrained db-2']);
});

test.concurrent('a failing undo waits for a person; going on from the failed step runs again what was undone', {
  timeout: 180_000,
}, async () => {
  const id = await start('fail-over', { host: 'db-3', healthy: 'no' });
  await holdfast.post(`/api/v1/approvals/${(await asked(id)).id}/approve`);
  // its verification fails, and the undo of the promotion cannot be done
  const undo = await waitFor('the undo to wait for a person', async () => {
    const { rollback } = (await read(id)).steps[3];
    return rollback.status === 'waiting' && rollback;
  });
  expect(undo).toMatchObject({ attempts: 3 });
  await mailOf(smtp, 'execution.undo_failed', /fail-over/);
  const decide = (body: object) => holdfast.ask('POST', `/api/v1/executions/${id}/steps/3/undo`, body);
  expect((await decide({ decision: 'skip' })).status).toBeGreaterThanOrEqual(400);
  const skipped = await decide({ decision: 'skip', reason: 'demoted by hand' });
  expect(skipped.status).toBe(200);
  expect(await ended(id)).toMatchObject({ status: 'rollback_failed' });
  expect(await entries(/db-3/)).toEqual(['drained db-3', 'promoted db-3', 'undrained db-3']);

  await writeFile(join(place.folder, 'mended'), '');
  const retry = await holdfast.post(`/api/v1/executions/${id}/retry`);
  const again = await read(retry.id);
  expect(again).toMatchObject({ retryOf: id, requestedBy: 'ana@example.com' });
  expect((await holdfast.ask('POST', `/api/v1/executions/${id}/retry`)).status).toBe(409);
  // an approval says how things stand now: it is asked for again
  await holdfast.post(`/api/v1/approvals/${(await asked(retry.id)).id}/approve`);
  expect(await ended(retry.id)).toMatchObject({ status: 'succeeded' });
  // the drain was undone and is done again; what was promoted and told stands
  expect((await entries(/db-3/)).slice(3)).toEqual(['drained db-3']);
});

test.concurrent('100 clicks on a link at once count once; forged or used, it says why; opening it changes nothing', {
  timeout: 180_000,
}, async () => {
  const id = await start('fail-over', { host: 'db-4' });
  const approval = await asked(id);
  const link = linkOf(await mailAbout('db-4'), 'Approve');
  for (const method of ['GET', 'HEAD']) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(link, { method })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  }
  const looked = await holdfast.get(`/api/v1/approvals/${approval.id}`);
  expect(looked).toMatchObject({ status: 'pending', votes: [] });

  const forged = link.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  const page = await openLink(link);
  expect((await submitForm(forged, page)).html).toContain('not valid');

  const clicks = await Promise.all(Array.from({ length: 100 }, () => submitForm(link, page)));
  expect(clicks.filter(({ html }) => html.includes('Your approval counts'))).toHaveLength(1);
  const rest = clicks.filter(({ html }) => !html.includes('Your approval counts'));
  expect(rest.filter(({ html }) => !html.includes('has been used'))).toEqual([]);
  const decided = await holdfast.get(`/api/v1/approvals/${approval.id}`);
  expect(decided).toMatchObject({ status: 'approved', votes: [{ person: 'approver@example.com' }] });
  expect((await submitForm(link, page)).html).toContain('has been used');
  expect(await ended(id)).toMatchObject({ status: 'succeeded' });
});

test.concurrent('50 triggers at once never pass a limit, by count at the target', {
  timeout: 180_000,
}, async () => {
  await holdfast.put('/api/v1/safety-rules/runbook/counted', { maxPerHour: 4 });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => start('counted', { host: `web-${n % 5}` })),
  );
  const executions = await Promise.all(answers.map((id) => ended(id, 90_000)));
  const done = executions.filter(({ status }) => status === 'succeeded');
  expect(await entries(/^counted/)).toHaveLength(4);
  expect(done).toHaveLength(4);
  const refused = executions.filter(({ status }) => status === 'cancelled');
  expect(refused).toHaveLength(46);
  for (const { statusReason } of refused) expect(statusReason).toMatch(/4 of 4.*possible again at/);
});

const corpus = [
  `$(touch PWNED)`,
  '`touch PWNED`',
  `'; touch PWNED; '`,
  `"; touch PWNED; "`,
  '| touch PWNED',
  '&& touch PWNED',
  'a\ntouch PWNED',
  '{{text}} {{note}}',
  '$HOME $0 $1 %s %n \\x41',
  '!!js/function "function(){}"',
  '*anchor &anchor <<: merge',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  'http://169.254.169.254/latest/meta-data/',
  'X-Evil: 1\r\nHost: evil',
  '\u001b[2J\u001b]0;title\u0007red \u001b[31m',
  '\u202egnp.exe',
];

test.concurrent('what stands in labels and inputs stays text, in the shell and in the output', {
  timeout: 180_000,
}, async () => {
  const pwned = join(place.folder, 'PWNED');
  for (const [n, raw] of corpus.entries()) {
    const text = raw.replaceAll('PWNED', pwned);
    await holdfast.send([
      {
        labels: {
          alertname: `Quoting${n}`,
          service: `quoting-${n}`,
          severity: 'critical',
          text,
          note: '--version',
        },
      },
    ]);
  }
  for (const [n, raw] of corpus.entries()) {
    const text = raw.replaceAll('PWNED', pwned);
    const incident = await holdfast.incidentOf(`quoting-${n}`);
    const entry = await waitFor(`the execution of quoting-${n}`, async () =>
      (await holdfast.incident(incident.number)).executions.at(0),
    );
    const execution = await ended(entry.id, 60_000);
    expect(execution, text).toMatchObject({ status: 'succeeded' });
    // control sequences are taken out of what is shown, and nothing else
    const words = stripVTControlCharacters(text).replaceAll('\r\n', '\n');
    for (const { output } of execution.steps) expect(output).toContain(`${words}\n--version\n`);
  }
  expect(existsSync(pwned)).toBe(false);
});
