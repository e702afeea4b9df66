import { describe, expect, it } from 'vitest';
import type { IncidentDetail } from '../../db/incident-detail.ts';
import { approvalRecord } from '../../test/harness/execution-records.ts';
import { type IncidentInput, incidentView, timelineView } from './show-view.ts';

const now = Date.parse('2026-11-21T02:20:00Z');
const at = (minutes: number) => new Date(now + minutes * 60_000);

const incident: IncidentDetail = {
  id: 'i',
  number: 42,
  teamId: null,
  title: 'db-primary refuses connections',
  status: 'investigating',
  severity: 'critical',
  service: 'checkout',
  openedAt: at(-6),
  lastAlertAt: at(-1),
  acknowledgedAt: null,
  acknowledgedBy: null,
  assignedTo: null,
  snoozedUntil: null,
  resolvedAt: null,
  resolvedBy: null,
  alertCount: 2,
  firingCount: 2,
  truncatedCount: 0,
  deadlines: [
    { kind: 'resolve_sla', at: at(24).toISOString(), what: 'SLA critical: time to resolve is over' },
    { kind: 'escalation', at: at(3).toISOString(), what: 'pages ben@example.com (level 2)' },
  ],
  recordedSeq: 3,
  labels: {},
  closedAt: null,
  escalationPolicy: 'default',
  alerts: [],
  logs: null,
  sla: [],
  executions: [],
  approvals: [],
  workflowId: 'incident:o:42',
};

const approval = approvalRecord({
  id: 'a',
  executionId: 'e',
  runbook: 'restart-pool',
  requestedAt: at(-5),
  expiresAt: at(10),
});

const view = (changes: Partial<IncidentDetail> = {}, more: Partial<IncidentInput> = {}) =>
  incidentView({
    incident: { ...incident, ...changes },
    timeline: [],
    olderTimelineHref: null,
    notifications: [],
    proposed: [],
    people: [{ email: 'ben@example.com', name: 'Ben' }],
    workflowUrl: null,
    now,
    ...more,
  });

describe('the page of an incident', () => {
  it('lists what happens next, soonest first, with people by name and what is near marked', () => {
    const { next } = view({ approvals: [approval] });
    expect(next.map(({ what, soon }) => [what, soon])).toEqual([
      ['Pages Ben (level 2)', true],
      ['The approval of restart-pool expires and it does not run', false],
      ['SLA critical: time to resolve is over', false],
    ]);
  });

  it('puts one thing to do first: acknowledge, then approve, then resolve', () => {
    const acknowledged = { acknowledgedAt: at(-1), acknowledgedBy: 'ana@example.com' };
    expect(view({ approvals: [approval] }).primary).toBe('acknowledge');
    expect(view({ ...acknowledged, approvals: [approval] }).primary).toBe('approve');
    expect(view(acknowledged).primary).toBe('resolve');
    expect(view({ resolvedAt: at(0), status: 'resolved' }).primary).toBeNull();
  });

  it('says before a resolve what it will touch', () => {
    const { resolveTouches } = view({ approvals: [approval] });
    expect(resolveTouches).toEqual([
      expect.stringContaining('nobody is paged any more'),
      expect.stringContaining('2 alerts are still firing'),
      'The approval of restart-pool is withdrawn.',
    ]);
  });

  it('asks for nothing once it is over', () => {
    expect(view({ resolvedAt: at(0), status: 'resolved', approvals: [approval] }).asks).toEqual([]);
  });

  it('shows how a clock was met, and until when one runs', () => {
    const clock = { policy: 'critical', startedAt: at(-6), atRiskAt: at(-2), dueAt: at(-1) };
    const { sla } = view({
      sla: [
        { ...clock, kind: 'acknowledge', state: 'met', endedAt: at(-4) },
        { ...clock, kind: 'resolve', state: 'breached', endedAt: null },
      ],
    });
    expect(sla.map(({ outcome, state }) => [state.word, outcome])).toEqual([
      ['Met', '2 min of 5 min'],
      ['Breached', 'within 5 min'],
    ]);
  });

  it('gives every kind of entry a mark, an unknown one too', () => {
    const entry = { id: 1, at: at(0), actor: 'Holdfast', summary: 's', data: {} };
    expect(timelineView({ ...entry, kind: 'execution_rolled_back' })).toMatchObject({
      icon: 'undone',
      actor: '',
    });
    expect(timelineView({ ...entry, kind: 'notification_failed' })).toMatchObject({ tone: 'bad' });
    expect(timelineView({ ...entry, kind: 'something_new', actor: 'ana@example.com' })).toMatchObject({
      icon: 'open',
      actor: 'ana@example.com',
    });
  });
});
