import { expect, it } from 'vitest';
import type { IncidentHead, TimelineEntry } from '../../db/incident-detail.ts';
import type { IncidentChange } from '../../db/incident-evidence.ts';
import { processorMs } from '../../test/harness/processor-time.ts';
import { type SharedInput, sharedView } from './view.ts';

const now = Date.parse('2026-11-21T02:20:00Z');
const at = (minutes: number) => new Date(now + minutes * 60_000);

const incident: IncidentHead = {
  id: 'i',
  number: 42,
  teamId: null,
  title: 'db-primary refuses connections',
  status: 'resolved',
  severity: 'critical',
  service: 'checkout',
  openedAt: at(-6),
  lastAlertAt: at(-1),
  acknowledgedAt: at(-3),
  acknowledgedBy: 'stranger@partner.example',
  assignedTo: null,
  snoozedUntil: null,
  silencedUntil: null,
  resolvedAt: at(0),
  resolvedBy: 'stranger@partner.example',
  alertCount: 30,
  firingCount: 0,
  truncatedCount: 0,
  opening: 1,
  deadlines: [],
  recordedSeq: 3,
  labels: { secret: 'label' },
  closedAt: null,
  escalationPolicy: 'default',
  services: [],
  sla: [],
  executions: [],
  approvals: [],
  counts: { timeline: 1, logPatterns: 0, metrics: 0, changes: 0, similar: 0 },
  mergedInto: 41,
  causeService: 'db-primary',
  causeConfidence: 1,
  causeBy: 'ana@example.com',
  workflowId: 'incident:o:42',
};

const shown = (given: Partial<SharedInput> = {}) =>
  sharedView({
    incident,
    changes: [],
    alerts: [],
    timeline: [],
    notifications: [],
    people: [{ email: 'ana@example.com', name: 'Ana' }],
    expiresAt: at(60),
    now,
    ...given,
  });

const entry = (kind: string, summary: string, data: Record<string, unknown> = {}): TimelineEntry => ({
  id: 1,
  at: at(-5),
  kind,
  actor: 'Holdfast',
  summary,
  data,
});

it('tells strangers what happened: people by name, no address, no label, no way into Holdfast', () => {
  const view = shown({
    incident: { ...incident, title: 'Mail to ops@partner.example bounces' },
    timeline: [
      {
        ...entry('notification', 'Paged ana@example.com and ops@partner.example (level 1)'),
        actor: 'ana@example.com',
        data: { reason: 'ops@partner.example is on call' },
      },
    ],
  });
  expect(view.timeline[0]).toMatchObject({ actor: 'Ana', summary: 'Paged Ana and ops@… (level 1)' });
  expect(view.title).toBe('Mail to ops@… bounces');
  expect(view.cause).toEqual({ service: 'db-primary', sure: 'says Ana', isSaid: true });
  expect(view.moreAlerts).toBe(30);
  const all = JSON.stringify(view);
  for (const hidden of ['partner.example', 'example.com', 'label', '/incidents/', 'incident:o', 'on call'])
    expect([hidden, all.includes(hidden)]).toEqual([hidden, false]);
});

it('says in neutral words what log systems, runbooks, mail servers and the ranking said', () => {
  const secret = 'login failed for root, password=hunter2';
  const runbook = { runbook: 'restart-db', executionId: 'e' };
  const view = shown({
    timeline: [
      entry('logs', `12 lines, mostly: ${secret}`, { source: 'loki' }),
      entry('logs_failed', `Logs could not be fetched: http://loki.internal: ${secret}`),
      entry('notification_failed', `Could not page ana@example.com: ${secret}`),
      entry('execution_failed', `Runbook restart-db failed: ${secret}`, runbook),
      entry('root_cause', `Probable cause: db, 85 %: its logs say ${secret}`, {
        service: 'db',
        confidence: 0.85,
      }),
      entry('regrouped', `merged into #7 with 2 alerts: ${secret}`, { from: 42, into: 7, alerts: 2 }),
      entry('change', `Related change detected: ${secret}`, { changeId: 1 }),
      entry('what_comes_next_year', secret),
      entry('note', 'We fail over.'),
    ],
  });
  expect(JSON.stringify(view)).not.toMatch(/hunter2|loki/);
  expect(view.timeline.map(({ summary }) => summary)).toEqual([
    'Looked at the logs',
    'The logs could not be read',
    'A message could not be delivered',
    'Runbook restart-db has failed',
    'Probable cause: db, 85 %',
    'Moved 2 alerts from #42 to #7',
    'Found a change that may be behind it',
    'We fail over.',
  ]);
});

it("tells of another team's change whose service it touched, and no more", () => {
  const change: IncidentChange = {
    id: 1,
    teamId: 'ours',
    source: 'github',
    type: 'deployment',
    status: 'succeeded',
    service: 'checkout',
    environment: null,
    title: 'Take the new price list',
    version: null,
    previousVersion: null,
    author: 'ana@example.com',
    url: null,
    at: at(-9),
    score: 0.8,
    reasons: ['a reason'],
    verdict: null,
    judgedBy: null,
    judgedAt: null,
  };
  const view = shown({
    incident: { ...incident, teamId: 'ours' },
    changes: [
      change,
      { ...change, teamId: 'theirs', service: 'payments' },
      { ...change, teamId: 'theirs', service: null },
      { ...change, teamId: null },
    ],
  });
  expect(view.changes.map(({ words }) => words)).toEqual([
    'checkout: Take the new price list',
    'a change of payments',
    'a change',
    'checkout: Take the new price list',
  ]);
  expect(JSON.stringify(view)).not.toContain('a reason');
});

it('is made at once of the longest and worst texts', () => {
  const long = entry('note', 'x'.repeat(10_000));
  // it took minutes where each text takes the square of its length
  const took = processorMs(() => {
    const view = shown({ timeline: Array.from({ length: 200 }, () => long) });
    expect(view.timeline[0]?.summary).toHaveLength(2000);
  });
  expect(took).toBeLessThan(2000);
});
