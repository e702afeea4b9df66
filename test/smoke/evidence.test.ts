import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldfastClient, holdfastClient } from '../harness/holdfast-client.ts';
import { spanId, traceId, tracesJson } from '../harness/otlp.ts';
import { ingestKey, makePlace, type Place, type Stack, startStack, waitFor } from '../harness/stack.ts';

let place: Place;
let stack: Stack | undefined;
let holdfast: HoldfastClient;

beforeAll(async () => {
  place = await makePlace();
  stack = await startStack(place, { HOLDFAST_REOPEN_WINDOW: '2s' });
  holdfast = holdfastClient(place.url);
});
afterAll(async () => {
  await stack?.kill();
  await place?.remove();
});

/** Calls of each caller to `callee` that fail there. */
async function failedCalls(callers: string[], callee: string): Promise<void> {
  const spans = callers.flatMap((caller, n) => {
    const call = { traceId: traceId(n + 1), failed: 'deadline exceeded' };
    return [
      { ...call, service: caller, spanId: spanId(1), kind: 3 },
      { ...call, service: callee, spanId: spanId(2), parentSpanId: spanId(1) },
    ];
  });
  const response = await fetch(`${place.url}/v1/traces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ingestKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(tracesJson(spans)),
  });
  expect(response.status).toBe(200);
}

test('traces, a change and three alerts become one incident with its cause; it is judged, split and merged', {
  timeout: 180_000,
}, async () => {
  await failedCalls(['billing', 'invoices'], 'ledger');
  await waitFor('the calls to be learned', async () => {
    const { dependencies } = await holdfast.get('/api/v1/topology');
    return dependencies.length === 2;
  });
  const change = await holdfast.post('/api/v1/changes/manual', {
    service: 'ledger',
    version: 'v2.3.1',
    previousVersion: 'v2.3.0',
  });
  for (const service of ['billing', 'invoices', 'ledger']) {
    await holdfast.send([{ labels: { alertname: 'HighErrorRate', service, severity: 'critical' } }]);
  }

  // whichever alert is seen first opens it, and it bears that alert's service
  const { number } = await waitFor('an incident', async () => {
    const { items } = await holdfast.get('/api/v1/incidents');
    return items[0];
  });
  await holdfast.told(number, 'root_cause', /: ledger, \d+ %/, 60_000);
  await holdfast.told(number, 'change', /ledger v2\.3\.0 → v2\.3\.1/, 60_000);
  const whole = await waitFor('one incident of three alerts', async () => {
    const seen = await holdfast.incident(number);
    return seen.alerts.length === 3 && seen.cause?.service === 'ledger' && seen;
  });
  expect(whole.status).toBe('root_cause_found');

  await holdfast.post(`/api/v1/incidents/${number}/cause`, { service: 'ledger' });
  await holdfast.post(`/api/v1/incidents/${number}/changes/${change.id}/verdict`, { verdict: 'confirmed' });
  await holdfast.told(number, 'cause_confirmed');
  await holdfast.told(number, 'change_confirmed', /Confirmed as a cause: ledger v2\.3\.0 → v2\.3\.1/);

  const alert = whole.alerts.find(({ service }: { service: string }) => service === 'invoices');
  const split = await holdfast.post(`/api/v1/incidents/${number}/split`, { alertIds: [alert.id] });
  await waitFor('the new incident to be under way', async () => {
    const { status, alerts } = await holdfast.incident(split.into);
    return status !== 'created' && alerts.length === 1;
  });
  const merged = await holdfast.post(`/api/v1/incidents/${split.into}/merge`, { into: number });
  expect(merged).toMatchObject({ into: number, status: 'resolved' });
  await waitFor(
    'the merged incident to be closed',
    async () => (await holdfast.incident(split.into)).closedAt,
  );
  expect((await holdfast.incident(number)).alerts).toHaveLength(3);

  // what is over is judged, too
  await holdfast.post(`/api/v1/incidents/${number}/resolve`, { falsePositive: true });
  await waitFor('it to be closed', async () => (await holdfast.incident(number)).closedAt);
  await holdfast.post(`/api/v1/incidents/${number}/cause`, { service: 'disk' });
  await holdfast.told(number, 'cause_corrected', /The cause is disk, not ledger/);
});
