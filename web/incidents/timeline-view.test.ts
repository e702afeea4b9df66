import { describe, expect, it } from 'vitest';
import type { IncidentHead } from '../../db/incident-detail.ts';
import { approvalRecord } from '../../test/harness/execution-records.ts';
import { headView } from './head-view.ts';
import { timelineTabView, timelineView } from './timeline-view.ts';

const now = Date.parse('2026-11-21T02:20:00Z');
const at = (minutes: number) => new Date(now + minutes * 60_000);

const incident: IncidentHead = {
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
  silencedUntil: null,
  resolvedAt: null,
  resolvedBy: null,
  alertCount: 2,
  firingCount: 2,
  truncatedCount: 0,
  opening: 1,
  deadlines: [
    { kind: 'resolve_sla', at: at(24).toISOString(), what: 'SLA critical: time to resolve is over' },
    { kind: 'escalation', at: at(3).toISOString(), what: 'pages ben@example.com (level 2)' },
  ],
  recordedSeq: 3,
  labels: {},
  closedAt: null,
  escalationPolicy: 'default',
  services: [],
  counts: { timeline: 3, logPatterns: 7, metrics: 0, changes: 2, similar: 3 },
  mergedInto: null,
  causeService: null,
  causeConfidence: null,
  causeBy: null,
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

const people = [{ email: 'ben@example.com', name: 'Ben' }];

const head = (changes: Partial<IncidentHead> = {}) =>
  headView({ incident: { ...incident, ...changes }, notifications: [], people, now }, 'logs');

const view = (changes: Partial<IncidentHead> = {}) =>
  timelineTabView({
    incident: { ...incident, ...changes },
    timeline: [],
    olderTimelineHref: null,
    proposed: [],
    people,
    workflowUrl: null,
    now,
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
    expect(head({ approvals: [approval] }).primary).toBe('acknowledge');
    expect(head({ ...acknowledged, approvals: [approval] }).primary).toBe('approve');
    expect(head(acknowledged).primary).toBe('resolve');
    expect(head({ resolvedAt: at(0), status: 'resolved' }).primary).toBeNull();
  });

  it('says before a resolve what it will touch', () => {
    const { resolveTouches } = head({ approvals: [approval] });
    expect(resolveTouches).toEqual([
      expect.stringContaining('nobody is paged any more'),
      expect.stringContaining('2 alerts are still firing'),
      'The approval of restart-pool is withdrawn.',
    ]);
  });

  it('says in each tab how much there is, and leads from any to what is asked', () => {
    const { tabs, askHref } = head();
    expect(tabs.map(({ label, count, href, current }) => [label, count, href, current])).toEqual([
      ['Timeline', 3, '/incidents/42', false],
      ['Alerts', 2, '/incidents/42/alerts', false],
      ['Logs', 7, '/incidents/42/logs', true],
      ['Metrics', 0, '/incidents/42/metrics', false],
      ['Changes', 2, '/incidents/42/changes', false],
      ['Similar', 3, '/incidents/42/similar', false],
    ]);
    expect(askHref).toBe('/incidents/42#asks');
  });

  it('leads from a merged incident to where its alerts are', () => {
    expect(head({ mergedInto: 41, resolvedAt: at(0), status: 'resolved' }).mergedInto).toEqual({
      number: 41,
      href: '/incidents/41',
    });
  });

  it('asks for nothing once it is over', () => {
    expect(view({ resolvedAt: at(0), status: 'resolved', approvals: [approval] }).asks).toEqual([]);
  });

  it('shows how a clock was met, and until when one runs', () => {
    const clock = {
      policy: 'critical',
      startedAt: at(-6),
      atRiskAt: at(-2),
      dueAt: at(-1),
      pauses: [],
      breach: null,
    };
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
    expect(sla.map(({ breach }) => breach?.action)).toEqual([
      undefined,
      expect.stringMatching(/\/breaches\/resolve\/reason$/),
    ]);
  });

  it('gives every kind of entry a mark, an unknown one too', () => {
    const entry = { id: 1, at: at(0), actor: 'Holdfast', summary: 's', data: {} };
    expect(timelineView({ ...entry, kind: 'execution_rolled_back' })).toMatchObject({
      icon: 'undone',
      actor: '',
    });
    expect(timelineView({ ...entry, kind: 'notification_failed' })).toMatchObject({ tone: 'bad' });
    expect(timelineView({ ...entry, kind: 'root_cause' })).toMatchObject({ icon: 'search' });
    expect(timelineView({ ...entry, kind: 'change_confirmed' })).toMatchObject({ icon: 'changes' });
    expect(timelineView({ ...entry, kind: 'regrouped' })).toMatchObject({ icon: 'link' });
    expect(timelineView({ ...entry, kind: 'something_new', actor: 'ana@example.com' })).toMatchObject({
      icon: 'open',
      actor: 'ana@example.com',
    });
  });
});
