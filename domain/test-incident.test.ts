import { expect, test } from 'vitest';
import { parseAlertmanagerWebhook } from './alertmanager.ts';
import { parseLogLines } from './logs/log-line.ts';
import { testIncident, testIncidentKind, testIncidentKinds } from './test-incident.ts';

const now = Date.UTC(2026, 10, 21, 3);

test.for(testIncidentKinds)('%s: its alert and its log lines pass the checks of the intake', (kind) => {
  const { webhook, logs } = testIncident(kind, 'firing', now);
  const parsed = parseAlertmanagerWebhook(JSON.parse(JSON.stringify(webhook)));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  expect(parsed.rejected).toEqual([]);
  expect(parsed.alerts).toHaveLength(1);
  const lines = parseLogLines(logs.map((line) => JSON.stringify(line)).join('\n'));
  expect(lines.problems).toEqual([]);
  expect(lines.lines.length).toBeGreaterThan(40);
  for (const line of lines.lines) {
    expect(line.at).toBeGreaterThan(now - 300_000);
    expect(line.at).toBeLessThanOrEqual(now);
    expect(line.service).toBe(parsed.alerts[0]!.service);
  }
});

test('the alerts are those that the tutorial names', () => {
  const alerts = testIncidentKinds.map((kind) => {
    const parsed = parseAlertmanagerWebhook(testIncident(kind, 'firing', now).webhook);
    const alert = parsed.ok ? parsed.alerts[0]! : undefined;
    return [alert?.name, alert?.service, alert?.severity];
  });
  expect(alerts).toEqual([
    ['DatabaseConnectionsExhausted', 'orders-db', 'critical'],
    ['HighCpuUsage', 'checkout', 'warning'],
    ['ApiLatencyHigh', 'payment-api', 'critical'],
  ]);
});

test('a resolve closes what was fired before: same fingerprint, a later end', () => {
  const fired = testIncident('cpu', 'firing', now).webhook.alerts[0]!;
  const resolved = testIncident('cpu', 'resolved', now + 60_000).webhook.alerts[0]!;
  expect(resolved.fingerprint).toBe(fired.fingerprint);
  expect(Date.parse(resolved.endsAt)).toBeGreaterThan(Date.parse(fired.startsAt));
});

test('random is one of the kinds, by the number given', () => {
  expect([0, 1, 2, 3, -4].map((pick) => testIncidentKind('random', pick))).toEqual([
    'database',
    'cpu',
    'latency',
    'database',
    'cpu',
  ]);
});
