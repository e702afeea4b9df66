import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dryRunReport } from '../../api/dry-runs/schema.ts';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { openLink } from '../harness/mails.ts';
import { makePlace, ownerToken, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';
import { startWebhook, type WebhookReceiver } from '../parts/webhook.ts';

let place: Place;
let stack: Stack | undefined;
let target: WebhookReceiver;
let holdfast: HoldfastClient;
let marker: string;

beforeAll(async () => {
  place = await makePlace();
  target = await startWebhook();
  marker = join(place.folder, 'marks');
  await place.writeRunbook('wipe', wipe());
  await place.writeRunbook('remote', remote);
  stack = await startStack(place, { HOLDFAST_SECRET_TARGET: 'key-of-the-target' });
  holdfast = holdfastClient(place.url);
  await waitFor('the runbooks', async () => {
    const { items } = await holdfast.get('/api/v1/runbooks');
    return items.length === 2;
  });
});
afterAll(async () => {
  await stack?.kill();
  await target?.close();
  await place?.remove();
});

/** Each step and undo leaves a mark, and one fails. */
const wipe = () => `
name: wipe
description: Wipe what is cached
inputs:
  service: {}
  key: { from_secret: "env:TARGET" }
execution: { mode: manual, cooldown: 0 }
steps:
  - name: Mark
    command: 'mkdir -p ${marker} && touch ${marker}/{{service}} && echo marked {{service}}'
    rollback: [touch, "${marker}/undone"]
  - name: Flush
    method: DELETE
    url: "${target.url}/caches/{{service}}"
    headers: { authorization: "Bearer {{key}}" }
  - name: Missing
    condition: { variable: service, equals: nothing }
    command: [no-such-program]
`;

const remote = `
name: remote
description: Done by a runner that is not there
execution: { mode: manual }
steps:
  - name: Far away
    runner: nowhere
    command: ["true"]
`;

interface Ran {
  code: number;
  out: string;
  err: string;
}

/** As it is called in a shell, from another folder. */
async function cli(...args: string[]): Promise<Ran> {
  return await new Promise((resolve) => {
    execFile(
      join(import.meta.dirname, '../../bin/holdfast'),
      args,
      {
        cwd: place.folder,
        env: {
          PATH: process.env.PATH,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          HOLDFAST_URL: place.url,
          HOLDFAST_TOKEN: ownerToken,
        },
      },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

/** The text of the page that a person gets who fills in the form. */
async function page(runbook: string, fields: Record<string, string>): Promise<string> {
  const link = /http\S+\/sign-in\/\S+/.exec((await stack?.output()) ?? '')?.[0] ?? '';
  const opened = await openLink(link);
  const signedIn = await fetch(link, { method: 'POST', body: new URLSearchParams(), redirect: 'manual' });
  expect([opened.status, signedIn.status]).toEqual([200, 303]);
  const cookie = signedIn.headers
    .getSetCookie()
    .map((text) => text.split(';')[0])
    .join('; ');
  const url = `${place.url}/runbooks/${runbook}/dry-run`;
  const form = await (await fetch(url, { headers: { cookie } })).text();
  const csrf = /name="_csrf" value="([^"]+)"/.exec(form)?.[1] ?? '';
  const body = new URLSearchParams({ _csrf: csrf, ...fields });
  const answer = await fetch(url, { method: 'POST', body, headers: { cookie } });
  expect(answer.status).toBe(200);
  return plain(await answer.text());
}

function plain(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&#x3D;', '=')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

// neither does anything, so they look together
test.concurrent('the API, the command line and the page report the same, and the target notices nothing', async () => {
  const body = { inputs: { service: 'checkout' } };
  const report = dryRunReport.parse(await holdfast.post('/api/v1/runbooks/wipe/dry-run', body));
  expect(report).toMatchObject({ ready: true, target: 'checkout', refusal: null });
  expect(report.steps[0]?.description).toContain(`touch ${marker}/checkout`);
  expect(report.steps[1]?.description).toMatch(/^DELETE .*\/caches\/checkout\nauthorization: Bearer \*\*\*/);
  expect(report.steps[1]?.findings).toMatchObject([{ what: 'secret env:TARGET' }, { what: 'connection' }]);
  expect(report.steps[2]).toMatchObject({ condition: { state: 'not_met' }, findings: [] });

  const printed = await cli('runbook', 'dry-run', 'wipe', '--input', 'service=checkout', '--json');
  expect([printed.code, JSON.parse(printed.out)]).toEqual([0, report]);
  const shown = await page('wipe', { 'input.service': 'checkout' });
  const words = (await cli('runbook', 'dry-run', 'wipe', '--input', 'service=checkout')).out.replaceAll(
    '\n    ',
    '\n',
  );
  for (const step of report.steps) {
    for (const text of [
      step.name,
      step.where,
      step.description,
      ...step.findings.map(({ detail }) => detail),
    ]) {
      expect(shown).toContain(text);
      expect(words).toContain(text);
    }
  }
  expect(shown).toContain(report.sentence);
  expect(JSON.stringify([report, printed, shown])).not.toContain('key-of-the-target');

  expect(existsSync(marker)).toBe(false);
  expect(target.hooks).toEqual([]);
  expect((await holdfast.get('/api/v1/executions')).items).toEqual([]);
});

test.concurrent('a runner that does not poll is found out within half a minute', async () => {
  const began = Date.now();
  const { code, out } = await cli('runbook', 'dry-run', 'remote');
  expect(Date.now() - began).toBeLessThan(30_000);
  expect([code, out]).toEqual([
    1,
    expect.stringContaining('no runner polls nowhere, it has never been seen'),
  ]);
});

test('the run does what the dry run has shown, and its exit code tells how it went', async () => {
  const ran = await cli('runbook', 'run', 'wipe', '--input', 'service=checkout', '--wait');
  expect([ran.code, ran.err]).toEqual([0, '']);
  expect(ran.out).toMatch(
    /> 1\. Mark\nmarked checkout\n {2}succeeded 1\. Mark\n[\s\S]*skipped 3\. Missing[\s\S]*succeeded\n$/,
  );
  expect(await readdir(marker)).toEqual(['checkout']);
  expect(target.hooks).toMatchObject([
    { method: 'DELETE', path: '/caches/checkout', headers: { authorization: 'Bearer key-of-the-target' } },
  ]);
  target.status = 500;
  const failed = await cli('runbook', 'run', 'wipe', '--input', 'service=cart', '--wait');
  expect(failed.code).toBe(1);
  expect(failed.out).toMatch(/failed 2\. Flush[\s\S]*undo of 1\. Mark[\s\S]*rolled back/);
  expect(await readdir(marker)).toContain('undone');
});
