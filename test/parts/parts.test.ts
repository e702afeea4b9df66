import { createHmac } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { expect, test } from 'vitest';
import { startAlertmanager } from './alertmanager.ts';
import { startChromium } from './chromium.ts';
import { partOrSkip } from './part.ts';
import { startPrometheus } from './prometheus.ts';
import { startSmtp } from './smtp.ts';
import { startTemporalDevServer } from './temporal-dev-server.ts';
import { startWebhook } from './webhook.ts';

test('Alertmanager tells the webhook of what fires and what is resolved, with the key', async (context) => {
  const webhook = await startWebhook();
  try {
    const alertmanager = await partOrSkip(context, () =>
      startAlertmanager({ webhookUrl: `${webhook.url}/hook`, ingestKey: 'key-of-the-test' }),
    );
    try {
      const labels = { alertname: 'ServiceDown', service: 'checkout', severity: 'critical' };
      await alertmanager.fire(labels, { annotations: { summary: 'down' } });
      await expect.poll(() => webhook.hooks.length, { timeout: 20_000 }).toBe(1);
      await alertmanager.resolve(labels);
      await expect.poll(() => webhook.hooks.length, { timeout: 20_000 }).toBe(2);
      expect(webhook.hooks.map(({ body }) => (body as { status: string }).status)).toEqual([
        'firing',
        'resolved',
      ]);
      expect(webhook.hooks[0]).toMatchObject({
        path: '/hook',
        headers: { authorization: 'Bearer key-of-the-test' },
        body: { version: '4', alerts: [{ labels, annotations: { summary: 'down' } }] },
      });
    } finally {
      await alertmanager.close();
    }
  } finally {
    await webhook.close();
  }
});

test('Prometheus answers a range query over samples of the past', async (context) => {
  const end = Math.floor(Date.now() / 1000) - 600;
  const samples = Array.from(
    { length: 5 },
    (_, hour) => `disk_used_bytes ${100 + hour} ${end - (4 - hour) * 3600}`,
  );
  const prometheus = await partOrSkip(context, () =>
    startPrometheus({ backfill: ['# TYPE disk_used_bytes gauge', ...samples, '# EOF', ''].join('\n') }),
  );
  try {
    const query = new URLSearchParams({
      query: 'disk_used_bytes',
      start: String(end - 4 * 3600),
      end: String(end),
      step: '3600',
    });
    const answer = await fetch(`${prometheus.url}/api/v1/query_range?${query}`);
    const { data } = (await answer.json()) as { data: { result: { values: [number, string][] }[] } };
    expect(data.result[0]?.values.map(([, value]) => value)).toEqual(['100', '101', '102', '103', '104']);
  } finally {
    await prometheus.close();
  }
});

test('Chromium opens a page', async (context) => {
  const webhook = await startWebhook();
  const chromium = await partOrSkip(context, () => startChromium({ width: 390, colorScheme: 'dark' }));
  try {
    const page = await chromium.context.newPage();
    await page.goto(webhook.url);
    expect(await page.evaluate('[innerWidth, matchMedia("(prefers-color-scheme: dark)").matches]')).toEqual([
      390,
      true,
    ]);
  } finally {
    await chromium.close();
    await webhook.close();
  }
});

test('a Temporal dev server answers and goes', async (context) => {
  const server = await partOrSkip(context, startTemporalDevServer);
  expect((await fetch(server.uiUrl)).status).toBe(200);
  await server.close();
  await expect(fetch(server.uiUrl)).rejects.toThrow();
});

test('the SMTP receiver keeps a mail, or refuses it as told', async () => {
  const smtp = await startSmtp();
  const transport = createTransport(smtp.url);
  const mail = { from: 'h@localhost', to: 'ana@example.com', subject: 'hello', text: 'text' };
  try {
    smtp.failWith = 451;
    await expect(transport.sendMail(mail)).rejects.toMatchObject({ responseCode: 451 });
    smtp.failWith = undefined;
    await transport.sendMail(mail);
    expect(smtp.mails.map(({ email, envelopeTo }) => [email.subject, envelopeTo])).toEqual([
      ['hello', ['ana@example.com']],
    ]);
  } finally {
    transport.close();
    await smtp.close();
  }
});

test('the webhook receiver tells a right signature from a wrong one', async () => {
  const webhook = await startWebhook({ secret: 's3cret' });
  try {
    const body = JSON.stringify({ type: 'escalation.page' });
    const time = Math.floor(Date.now() / 1000);
    const v1 = createHmac('sha256', 's3cret').update(`${time}.${body}`).digest('hex');
    for (const header of [`t=${time},v1=${v1}`, `t=${time - 1},v1=${v1}`, 'nonsense']) {
      await fetch(webhook.url, { method: 'POST', body, headers: { 'x-holdfast-signature': header } });
    }
    expect(webhook.hooks.map(({ signed }) => signed)).toEqual([true, false, false]);
  } finally {
    await webhook.close();
  }
});
