import { expect, it } from 'vitest';
import type { IncidentHead } from '../../db/incident-detail.ts';
import { sharedView } from './view.ts';

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
  resolvedAt: at(0),
  resolvedBy: 'stranger@partner.example',
  alertCount: 30,
  firingCount: 0,
  truncatedCount: 0,
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

it('tells strangers what happened: people by name, no address, no label, no way into Holdfast', () => {
  const view = sharedView({
    incident,
    analysis: { causes: [], notes: [], analysedAt: null },
    changes: [],
    alerts: [],
    timeline: [
      {
        id: 1,
        at: at(-5),
        kind: 'notification',
        actor: 'ana@example.com',
        summary: 'Paged ana@example.com and ops@partner.example (level 1)',
        data: { reason: 'ops@partner.example is on call' },
      },
    ],
    notifications: [],
    people: [{ email: 'ana@example.com', name: 'Ana' }],
    expiresAt: at(60),
    now,
  });
  expect(view.timeline[0]).toMatchObject({
    actor: 'Ana',
    summary: 'Paged Ana and ops@… (level 1)',
    why: 'ops@… is on call',
  });
  expect(view.cause).toMatchObject({ service: 'db-primary', sure: 'says Ana' });
  expect(view.moreAlerts).toBe(30);
  const all = JSON.stringify(view);
  for (const hidden of ['partner.example', 'example.com', 'label', '/incidents/', 'incident:o'])
    expect([hidden, all.includes(hidden)]).toEqual([hidden, false]);
});
