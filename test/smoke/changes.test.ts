import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { makePlace, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';
import { type SmtpReceiver, startSmtp } from '../parts/smtp.ts';

let place: Place;
let smtp: SmtpReceiver;
let stack: Stack | undefined;
let holdfast: HoldfastClient;

beforeAll(async () => {
  place = await makePlace();
  smtp = await startSmtp();
  stack = await startStack(place, { SMTP_URL: smtp.url });
  holdfast = holdfastClient(place.url);
}, 150_000);
afterAll(async () => {
  await stack?.kill();
  await smtp?.close();
  await place?.remove();
});

test('a deployment that GitHub tells of after the alert stands on the incident within seconds, and is confirmed', {
  timeout: 180_000,
}, async () => {
  const source = await holdfast.post('/api/v1/change-sources', {
    kind: 'github',
    name: 'GitHub',
    services: { 'acme/shop': 'payment-service' },
  });
  const deliver = async (event: string, id: number, ref: string, minutesAgo: number, more: object = {}) => {
    const at = new Date(Date.now() - minutesAgo * 60_000).toISOString();
    const body = JSON.stringify({
      deployment: { id, ref, sha: 'f'.repeat(40), environment: 'production', created_at: at },
      repository: { full_name: 'acme/shop', name: 'shop' },
      ...more,
    });
    const answer = await fetch(source.webhookUrl, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-GitHub-Event': event,
        'X-Hub-Signature-256': `sha256=${createHmac('sha256', source.secret).update(body).digest('hex')}`,
      },
      body,
    });
    expect(answer.status).toBe(202);
  };
  const state = { deployment_status: { state: 'success' } };
  await deliver('deployment_status', 1, 'v2.3.0', 3000, state);
  await holdfast.send([
    { labels: { alertname: 'HighErrorRate', severity: 'critical', service: 'payment-service' } },
  ]);
  const { number } = await holdfast.incidentOf('payment-service');
  await waitFor(
    'the first look at the incident',
    async () => (await holdfast.incident(number)).analysedAt !== null,
  );
  expect((await holdfast.incident(number)).changes).toEqual([]);
  await deliver('deployment_status', 2, 'v2.3.1', 15, state);
  const related = await waitFor(
    'the change to be related',
    async () => (await holdfast.incident(number)).changes[0],
  );
  expect(related).toMatchObject({
    service: 'payment-service',
    version: 'v2.3.1',
    previousVersion: 'v2.3.0',
    verdict: null,
  });
  expect(related.score).toBeGreaterThan(0.8);
  expect((await holdfast.told(number, 'change', /payment-service v2\.3\.0 → v2\.3\.1/)).summary).toMatch(
    /^Related change detected: /,
  );
  await holdfast.post(`/api/v1/incidents/${number}/changes/${related.id}/verdict`, { verdict: 'confirmed' });
  expect((await holdfast.get(`/api/v1/changes/${related.id}`)).incidents).toMatchObject([
    { number, verdict: 'confirmed', judgedBy: expect.any(String) },
  ]);
});
